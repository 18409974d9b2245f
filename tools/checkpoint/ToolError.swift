import Engine

/// What the tool can't do, and why.
struct ToolError: Failure {
    let kind: FailureKind
    let message: String
    let cause: (any Error)?

    init(_ kind: FailureKind, _ message: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }
}
