import Engine

/// What went wrong with a schema registry.
///
/// Kinds: `retry` it does not answer, or not as a registry does; `denied` it refuses this user; `invalid` the settings, or what the
/// registry holds, have to be changed. Messages never hold credentials.
public struct RegistryError: Failure {
    public let kind: FailureKind
    public let message: String
    public let cause: (any Error)?

    public init(_ kind: FailureKind, _ message: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }
}
