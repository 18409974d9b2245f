import CheckpointStores
import SQLiteState

/// A checkpoint whose state can be read.
struct OpenedCheckpoint {
    /// The number in its store, or the path that the user gave.
    let name: String
    /// nil for a state that is in no store.
    let manifest: Manifest?
    let state: HeldState

    var reader: StateReader { state.reader }
}
