import CheckpointStores
import CommandLineParts
import Engine
import SQLiteState

/// The newest checkpoint of a worker that runs, looked at in place of its state: a state file is never opened by two.
struct StandInState {
    let manifest: Manifest
    /// The job over it.
    let topology: Topology
    /// As a drain would leave it.
    let state: SQLiteStateStore.InspectedState
    /// What waits in it, as long as the worker does not drain.
    let waiting: [WaitingFinding]
    /// For people: `12 s`
    let age: String

    /// nil when there is no checkpoint of the worker that has the state directory. Fetches the newest into temporary files, which
    /// are gone when this returns. Throws what the store throws, and what a start with that state would be refused for but
    /// for its tables' versions.
    init?(_ parts: JobParts) throws {
        let directory = parts.configuration.state.directory
        guard let store = try parts.makeCheckpointStore() else { return nil }
        let newest = try store.newestVerified(deep: false) { number, error in
            parts.logger.error("checkpoint \(number) is refused: \(error)")
        }
        guard let newest, try StoreArchive.isOwn(newest, stateDirectory: directory) else { return nil }
        defer { Scratch.removeAll() }
        let copy = try StandInState.copy(of: newest, in: store)
        do {
            let reader = try StateReader(path: copy.stateFile)
            topology = parts.topology(over: reader.fixedSettings)
            waiting = try WaitingFinding.all(of: reader, topology)
        }
        guard let found = try parts.makeStore(copy).inspect(topology, asDrained: true) else { return nil }
        manifest = newest
        state = found
        age = "\(max(0, WallTime.now.milliseconds - newest.createdAt) / 1000) s"
    }

    /// What a start would find that restores this checkpoint, and the job over it; looks at it in temporary files, which are gone when this
    /// returns. Throws what the start would.
    static func inspect(
        _ chosen: Restoration, in store: CheckpointStore, _ parts: JobParts
    ) throws -> (SQLiteStateStore.InspectedState, Topology) {
        defer { Scratch.removeAll() }
        let scratch = try Scratch.make()
        let files = try store.fetch(chosen.manifest, into: scratch)
        let copy = try StateDirectory(path: scratch)
        try StateAssembly.assemble(
            base: files.base, deltas: files.deltas, into: copy.stateFile, beginning: chosen.lineage, tables: chosen.tables,
            hashKey: chosen.manifest.hashKey)
        let state = try parts.makeStore(copy)
        let topology = parts.topology(over: try state.fixedSettings())
        guard let found = try state.inspect(topology) else {
            throw CommandError(.bug, "checkpoint \(chosen.manifest.number) was put together as an empty state")
        }
        return (found, topology)
    }

    /// The checkpoint's state, in temporary files.
    private static func copy(of manifest: Manifest, in store: CheckpointStore) throws -> StateDirectory {
        let scratch = try Scratch.make()
        let files = try store.fetch(manifest, into: scratch)
        let copy = try StateDirectory(path: scratch)
        try StateAssembly.assemble(base: files.base, deltas: files.deltas, into: copy.stateFile, hashKey: manifest.hashKey)
        return copy
    }
}
