import Engine

/// A base: a whole copy of the state file, made in steps between epochs.
extension SQLiteStateStore {
    /// For how long a step of a checkpoint holds up the epochs.
    package static let checkpointStep = Duration.milliseconds(25)

    /// Where a checkpoint's files are to be written: what is left here is removed when the state file is opened.
    package var exportDirectory: String { directory.exports }

    /// Begins a base at `path`, in place of one that is under way.
    package func beginBase(at path: String) throws {
        try exclusively {
            _ = try ready()
            try abandonBase()
            base = try BaseExport(of: database, at: path)
        }
    }

    /// Copies for about `time`, between two epochs. nil while there is more to copy; then the facts of the base, which is
    /// the state as it was at the last commit before this call: its file is whole, and its caller's, who makes it durable.
    ///
    /// When it throws, the base is abandoned and its file removed; kind `retry` says that another one may succeed.
    package func stepBase(for time: Duration = checkpointStep) throws -> CheckpointFacts? {
        try stepBase(for: time, pages: BaseExport.pagesAtOnce)
    }

    func stepBase(for time: Duration, pages: Int32) throws -> CheckpointFacts? {
        try exclusively {
            let opened = try ready()
            guard let base else { throw StateError(.bug, "no base was begun") }
            do {
                guard try base.step(for: time, pages: pages) else { return nil }
                try base.finish()
                self.base = nil
                opened.compactor.noteBase()
                return try CheckpointFacts(of: database)
            } catch {
                try abandonBase()
                throw error
            }
        }
    }

    /// Abandons a base that is under way, and removes its file.
    package func cancelBase() throws {
        try exclusively { try abandonBase() }
    }

    /// Pages of the base under way that are still to be copied, and how many it has; nil while none is under way.
    package var baseProgress: (remaining: Int, of: Int)? { exclusively { base?.progress } }

    private func abandonBase() throws {
        guard let path = base?.path else { return }
        base = nil
        try Database.remove(path)
    }
}
