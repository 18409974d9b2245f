import SQLiteState

/// A checkpoint whose state can be read.
struct OpenedCheckpoint {
    /// As the user named it, and what that turned out to be.
    let name: String
    let state: InspectedState

    var reader: StateReader { state.reader }
}
