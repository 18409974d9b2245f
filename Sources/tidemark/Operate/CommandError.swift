import Engine

/// Why a command does not do what it was told.
struct CommandError: Failure {
    let kind: FailureKind
    let message: String
    let cause: (any Error)? = nil

    init(_ kind: FailureKind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
