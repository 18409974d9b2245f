/// What ends a run, beside what its parts throw.
public struct RunError: Failure {
    public let kind: FailureKind
    public let message: String
    public let cause: (any Error)?

    init(_ kind: FailureKind, _ message: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }
}
