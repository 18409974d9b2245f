import ArgumentParser
import CheckpointStores
import CommandLineParts
import Engine
import Foundation
import SQLiteState

/// Where a verb's checkpoints come from.
struct CheckpointSource: ParsableArguments {
    @OptionGroup var storeOptions: StoreOptions

    func store() throws -> CheckpointStore { try storeOptions.open() }

    /// Opens what `reference` names: a path, or a checkpoint of the store, which is fetched and checked first.
    func open(_ reference: String) throws -> OpenedCheckpoint {
        guard !isPath(reference) else {
            return OpenedCheckpoint(name: reference, manifest: nil, state: try HeldState(path: reference) { try Scratch.make() })
        }
        let (store, manifest) = try stored(reference)
        return try CheckpointSource.open(manifest, of: store)
    }

    /// The checkpoint of the store that `reference` names, for verbs to which its place there matters. A path is refused.
    func stored(_ reference: String) throws -> (store: CheckpointStore, manifest: Manifest) {
        guard !isPath(reference) else {
            throw ToolError(
                .invalid,
                "\(reference) is the path of a state, and this verb needs a checkpoint of a store: name one as latest, latest~2, a number, @TIME or tag:NAME, and the store with --store and --job, or --config"
            )
        }
        let parsed = try CheckpointReference(reference)
        let store = try store()
        return (store, try store.resolve(parsed))
    }

    static func open(_ manifest: Manifest, of store: CheckpointStore) throws -> OpenedCheckpoint {
        let file = try materialise(manifest, of: store)
        let state = try HeldState(path: file, named: "checkpoint \(manifest.number) of \(store.location)") { try Scratch.make() }
        return OpenedCheckpoint(name: "\(manifest.number)", manifest: manifest, state: state)
    }

    /// Fetches a checkpoint's objects and puts its state file together, in temporary files; returns the state file's path.
    static func materialise(_ manifest: Manifest, of store: CheckpointStore) throws -> String {
        let scratch = try Scratch.make()
        let fetched = try store.fetch(manifest, into: scratch)
        guard !fetched.deltas.isEmpty else { return fetched.base }
        let file = scratch + "/state.db"
        try StateAssembly.assemble(base: fetched.base, deltas: fetched.deltas, into: file, hashKey: manifest.hashKey)
        // They would double what the checkpoint takes here.
        for part in [fetched.base] + fetched.deltas { try FileManager.default.removeItem(atPath: part) }
        return file
    }

    /// A reference never holds a slash; without a store only a file can be meant.
    func isPath(_ reference: String) -> Bool {
        if reference.holds("/") { return true }
        return storeOptions.store == nil && storeOptions.config == nil && FileManager.default.fileExists(atPath: reference)
    }
}

/// A checkpoint whose state can be read.
struct OpenedCheckpoint {
    /// The number in its store, or the path that the user gave.
    let name: String
    /// nil for a state that is in no store.
    let manifest: Manifest?
    let state: HeldState

    var reader: StateReader { state.reader }
}
