import Engine
import Glibc

/// What went wrong with the state file.
public struct StateError: Failure {
    public let kind: FailureKind
    public let message: String
    public let cause: (any Error)?

    package init(_ kind: FailureKind, _ message: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }

    /// The error for what `errno` says: of kind `retry`, caused by a full disk, when that is what it says.
    static func system(_ what: String, _ path: String, _ advice: String) -> StateError {
        let code = errno
        let reason = String(cString: strerror(code))
        guard ![ENOSPC, EDQUOT, EFBIG].contains(code) else {
            return StateError(.retry, "can't \(what): the disk is full; make room there", cause: FullDisk(path: path, reason: reason))
        }
        return StateError([EACCES, EPERM, EROFS].contains(code) ? .denied : .invalid, "can't \(what): \(reason); \(advice)")
    }

    /// What helps with a damaged state.
    static let wayOut =
        "keep it for examination, and go on with a copy of the state directory as the last run left it, or start anew with an empty state directory, another checkpoints.store and new tables"
}
