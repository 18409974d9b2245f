import Engine

/// What went wrong with the state file.
public struct StateError: Failure {
    public let kind: FailureKind
    public let message: String
    public let cause: (any Error)?

    public init(_ kind: FailureKind, _ message: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }

    /// What helps with a damaged state.
    static let wayOut =
        "keep it for examination, and go on with a copy of the state directory as the last run left it, or start anew with an empty state directory and new tables"
}
