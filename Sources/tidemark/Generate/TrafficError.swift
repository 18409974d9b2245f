import Engine

/// What went wrong while traffic was written.
struct TrafficError: Failure {
    let kind: FailureKind
    let message: String
    let cause: (any Error)?

    init(_ kind: FailureKind, _ message: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }
}
