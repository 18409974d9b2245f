import Engine
import Foundation

/// Files that are whole and durable once they have their name.
enum DurableFile {
    static func copy(_ path: String, to copy: String) throws {
        do {
            try FileManager.default.copyItem(atPath: path, toPath: copy)
        } catch let error as CocoaError where error.code == .fileWriteOutOfSpace {
            throw StateError(
                .retry, "can't copy \(path) to \(copy): the disk is full; make room there",
                cause: FullDisk(path: copy, reason: error.localizedDescription))
        } catch {
            throw StateError(
                .invalid, "can't copy \(path) to \(copy); check the space and the owner and permissions of both directories", cause: error)
        }
        guard chmod(copy, 0o600) == 0 else { throw failure("make \(copy) writable", copy) }
    }

    static func sync(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open \(path)", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("make \(path) durable", path) }
    }

    /// Gives a synced file its name, durably.
    static func rename(_ path: String, to name: String) throws {
        guard Foundation.rename(path, name) == 0 else { throw failure("rename \(path) to \(name)", name) }
        try sync(URL(fileURLWithPath: name).deletingLastPathComponent().path)
    }

    private static func failure(_ action: String, _ path: String) -> StateError {
        StateError.system(action, path, "check the disk, and the directory's owner and permissions")
    }
}
