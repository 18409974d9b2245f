import Engine

/// What went wrong with checkpoints or the store that holds them.
///
/// Kinds: `retry` the store is down, full, or its answer was lost; `denied` it refuses this user; `missing` something named
/// is not there; `corrupt` stored bytes are damaged, the message names the object; `fenced` another writer has published;
/// `incompatible` a newer version wrote it; `invalid` a location, a name or the store itself has to be changed.
/// Messages never hold credentials.
package struct CheckpointError: Failure {
    package let kind: FailureKind
    package let message: String
    package let cause: (any Error)?

    package init(_ kind: FailureKind, _ message: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }
}
