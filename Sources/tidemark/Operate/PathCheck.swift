import Engine
import Foundation

/// Tries whether a run may write where it has to, and leaves nothing behind.
enum PathCheck {
    /// Creates and removes a file in the directory, or in the one that is to hold it while it is not there. Throws, saying what to
    /// do, when that fails, and when a file that is in it can't be written.
    static func requireWritable(directory path: String, setting: String) throws {
        let holder = existing(path)
        let probe = "\(holder)/.tidemark-probe-\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
        let descriptor = open(probe, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw refused("no file can be created in \(holder)", setting) }
        close(descriptor)
        guard unlink(probe) == 0 else { throw refused("the file \(probe) was created and can't be removed", setting) }
        guard holder == path else { return }
        for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted() {
            let file = "\(path)/\(name)"
            var status = stat()
            // What is gone by now is nobody's.
            guard stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            guard access(file, R_OK | W_OK) == 0 || errno == ENOENT else { throw refused("\(file) can't be read and written", setting) }
        }
    }

    /// The directory, or the nearest one above it that is there.
    private static func existing(_ path: String) -> String {
        var holder = URL(fileURLWithPath: path).standardizedFileURL.path
        while holder != "/", access(holder, F_OK) != 0 { holder = URL(fileURLWithPath: holder).deletingLastPathComponent().path }
        return holder
    }

    private static func refused(_ what: String, _ setting: String) -> CheckFinding {
        CheckFinding(
            description:
                "\(what): \(String(cString: strerror(errno))); give this user the right to, or set \(setting) to a directory where it has that"
        )
    }
}
