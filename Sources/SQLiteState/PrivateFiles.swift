import Engine
import Glibc

/// Files and directories that nobody but their owner may read: 0600 and 0700, whatever the process's umask is, and whoever made
/// them before.
enum PrivateFiles {
    private static let fileMode: mode_t = 0o600
    private static let directoryMode: mode_t = 0o700
    /// What anybody may do; the bits above it stay.
    private static let everything: mode_t = 0o777

    /// Makes a directory, or takes from one that is there what others may do in it. Throws kind `denied` where that can't be taken
    /// away: whoever may write there could put other files in the place of ours.
    static func makeDirectory(_ path: String, orElse advice: String) throws {
        guard mkdir(path, directoryMode) == 0 || errno == EEXIST else {
            throw StateError.system("create the directory \(path)", path, advice)
        }
        try tighten(path, to: directoryMode)
    }

    /// Makes an empty file, or takes from one that is there what others may do with it. Nobody in this process may have it open: a
    /// descriptor that is closed gives up SQLite's locks.
    static func makeFile(_ path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, fileMode)
        if descriptor >= 0 {
            close(descriptor)
        } else if errno != EEXIST {
            throw StateError.system("create \(path)", path, "check that the directory exists and may be written")
        }
        try tighten(path, to: fileMode)
    }

    /// The same of a file that may not be there.
    static func tightenFile(_ path: String) throws {
        if access(path, F_OK) == 0 { try tighten(path, to: fileMode) }
    }

    private static func tighten(_ path: String, to mode: mode_t) throws {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw StateError.system("look at \(path)", path, "check the directory's owner and permissions")
        }
        // A umask may have taken the owner's own bits, too; and a file is nothing to run, not even for its owner.
        guard status.st_mode & everything != mode else { return }
        guard chmod(path, status.st_mode & 0o7000 | mode) == 0 else {
            throw StateError(
                .denied,
                "\(path) may be read or written by others (mode \(String(status.st_mode & 0o777, radix: 8))), and this user may not change that: \(String(cString: strerror(errno))). Give it to the user that the worker runs as, or name a directory below it, which is made then"
            )
        }
    }
}
