import Engine

/// What went wrong with the status page.
package struct AdminError: Failure {
    package let kind: FailureKind
    package let message: String
    package let cause: (any Error)?

    package init(_ kind: FailureKind, _ message: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }
}
