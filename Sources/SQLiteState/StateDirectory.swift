import Engine
import Glibc

/// A worker's state directory, locked for as long as the value lives. Its layout:
/// ```
/// <directory>/lock         held by the one process that uses the directory
/// <directory>/state.db     the state file, with state.db-wal beside it
/// <directory>/references.db  the copy of the reference topics (`ReferenceFile`), of a job that has some
/// ```
public final class StateDirectory {
    public let path: String
    private let lock: Int32

    /// Creates the directory when it is missing and locks it. Throws kind `locked` when another process has it.
    public init(path: String) throws {
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else {
            throw StateError(.invalid, "can't create the state directory \(path): \(String(cString: strerror(errno))); create its parent or set state.directory")
        }
        let lockPath = path + "/lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            throw StateError(.invalid, "can't open \(lockPath): \(String(cString: strerror(errno))); check the directory's owner and permissions")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw StateError(.locked, "the state directory \(path) is in use by another process; stop that worker first, or set state.directory to another one")
        }
        self.path = path
        lock = descriptor
    }

    deinit { close(lock) }

    public var stateFile: String { path + "/state.db" }
}
