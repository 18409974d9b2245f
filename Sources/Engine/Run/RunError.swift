/// What ends a run, beside what its parts throw.
package struct RunError: Failure {
    package let kind: FailureKind
    package let message: String
    package let cause: (any Error)?

    init(_ kind: FailureKind, _ message: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }
}
