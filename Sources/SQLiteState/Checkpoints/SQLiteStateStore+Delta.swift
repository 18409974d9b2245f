import Engine

/// A delta: what changed since an earlier checkpoint, written in steps between epochs.
extension SQLiteStateStore {
    /// Begins a delta at `path` with the changes of epochs after `epoch`, in place of one that is under way. False when they
    /// are not kept any more: then the next checkpoint has to be a base.
    package func beginDelta(after epoch: Epoch, at path: String) throws -> Bool {
        try exclusively {
            let opened = try ready()
            try abandonDelta()
            guard opened.compactor.hasChanges(after: epoch) else { return false }
            do {
                deltaExport = try DeltaExport(of: database, after: epoch, at: path)
            } catch {
                try Database.remove(path)
                throw error
            }
            return true
        }
    }

    /// Copies for about `time`, between two epochs. nil while there is more to copy; then the facts of the delta's end, which
    /// is the last commit before this call: its file is whole, and its caller's, who makes it durable.
    ///
    /// When it throws, the delta is abandoned and its file removed. Kind `retry`: the disk is full, or the changes outgrew
    /// `Settings.keepBytes` before they were copied.
    package func stepDelta(for time: Duration = checkpointStep) throws -> CheckpointFacts? {
        try exclusively {
            _ = try ready()
            guard let deltaExport else { throw StateError(.bug, "no delta was begun") }
            do {
                guard !deltaExport.isOutgrown else {
                    throw StateError(
                        .retry,
                        "changes come faster than the delta \(deltaExport.path) takes them: more than \(settings.keepBytes) bytes are kept for it; the next checkpoint has to be a base"
                    )
                }
                guard try deltaExport.step(for: time) else { return nil }
                self.deltaExport = nil
                return try CheckpointFacts(of: database)
            } catch {
                try abandonDelta()
                throw error
            }
        }
    }

    /// Writes a delta at one go; nil when the changes since `epoch` are not kept any more.
    package func writeDelta(after epoch: Epoch, at path: String) throws -> CheckpointFacts? {
        guard try beginDelta(after: epoch, at: path) else { return nil }
        while true {
            if let facts = try stepDelta(for: .seconds(1)) { return facts }
        }
    }

    /// Abandons a delta that is under way, and removes its file.
    package func cancelDelta() throws {
        try exclusively { try abandonDelta() }
    }

    private func abandonDelta() throws {
        guard let path = deltaExport?.path else { return }
        deltaExport = nil
        try Database.remove(path)
    }
}
