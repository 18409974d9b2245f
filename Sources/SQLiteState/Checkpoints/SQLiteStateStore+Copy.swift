import Engine

/// The two ways of copying under one name, as the engine asks for them.
extension SQLiteStateStore: CheckpointedStore {
    package func beginCopy(_ content: FinishedCheckpoint.Content, at path: String) throws -> Bool {
        switch content {
        case .base:
            try beginBase(at: path)
            return true
        case .delta(let epoch):
            return try beginDelta(after: epoch, at: path)
        case .nothing:
            throw StateError(.bug, "nothing was to be copied")
        }
    }

    package func stepCopy(for time: Duration) throws -> CheckpointFacts? {
        exclusively({ base != nil }) ? try stepBase(for: time) : try stepDelta(for: time)
    }
}
