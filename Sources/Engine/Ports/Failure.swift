/// What the caller of something that failed has to do.
public enum FailureKind: String, Sendable {
    /// Try again later: nothing is broken.
    case retry
    /// Somebody else owns the state now: stop.
    case fenced
    /// Stored bytes are damaged: stop and restore.
    case corrupt
    /// Input, configuration or surroundings are wrong: a person has to change something.
    case invalid
    /// Another process holds the state.
    case locked
    /// Stored by a newer or otherwise incompatible version.
    case incompatible
    /// Something named does not exist.
    case missing
    /// The system or a server does not let this user: a person has to grant something.
    case denied
    /// A mistake in this program.
    case bug
}

/// The errors of all targets: what to do, what happened and where, and what caused it.
///
/// The message says what happened, where (topic, partition, offset, table, file) and what to do about it.
public protocol Failure: Error, CustomStringConvertible {
    var kind: FailureKind { get }
    var message: String { get }
    var cause: (any Error)? { get }
}

extension Failure {
    public var description: String {
        guard let cause else { return message }
        return "\(message) (cause: \(cause))"
    }
}

/// What lies at the bottom of a failure of kind `retry` that lasts until somebody makes room: a disk is full, or a quota or a
/// limit on the size of files is reached.
package struct FullDisk: Error, Sendable, CustomStringConvertible {
    /// The file or directory that could not be written.
    package let path: String
    /// What the system said.
    package let reason: String

    package init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    package var description: String { reason }
}

extension Failure {
    /// The full disk that caused the failure; nil when none did.
    package var fullDisk: FullDisk? { cause as? FullDisk ?? (cause as? any Failure)?.fullDisk }
}
