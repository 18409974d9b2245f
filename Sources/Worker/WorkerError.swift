import Engine

/// What went wrong while running a topology.
public struct WorkerError: Failure {
    public let kind: FailureKind
    public let message: String
    public let cause: (any Error)?

    package init(_ kind: FailureKind, _ message: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }
}
