import Engine

/// What went wrong with a schema registry.
///
/// Kinds: `retry` it does not answer, or not as a registry does; `denied` it refuses this user; `invalid` the settings, or what the
/// registry holds, have to be changed. Messages never hold credentials.
package struct RegistryError: Failure {
    package let kind: FailureKind
    package let message: String
    package let cause: (any Error)?

    package init(_ kind: FailureKind, _ message: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }
}
