/// What lies at the bottom of a failure of kind `retry` that lasts until somebody makes room: a disk is full, or a quota or a
/// limit on the size of files is reached.
public struct FullDisk: Error, Sendable, CustomStringConvertible {
    /// The file or directory that could not be written.
    public let path: String
    /// What the system said.
    public let reason: String

    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String { reason }
}

extension Failure {
    /// The full disk that caused the failure; nil when none did.
    public var fullDisk: FullDisk? { cause as? FullDisk ?? (cause as? any Failure)?.fullDisk }
}
