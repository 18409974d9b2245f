import ArgumentParser
import CheckpointStores
import CommandLineParts
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
        let parsed = try CheckpointReference(reference)
        let store = try store()
        return try CheckpointSource.open(try store.resolve(parsed), of: store)
    }

    static func open(_ manifest: Manifest, of store: CheckpointStore) throws -> OpenedCheckpoint {
        let file = try materialise(manifest, of: store)
        return OpenedCheckpoint(name: "\(manifest.number)", manifest: manifest, state: try HeldState(path: file) { try Scratch.make() })
    }

    /// Fetches a checkpoint's objects and puts its state file together, in temporary files; returns the state file's path.
    static func materialise(_ manifest: Manifest, of store: CheckpointStore) throws -> String {
        let scratch = try Scratch.make()
        let fetched = try store.fetch(manifest, into: scratch)
        guard !fetched.deltas.isEmpty else { return fetched.base }
        let file = scratch + "/state.db"
        try StateAssembly.assemble(base: fetched.base, deltas: fetched.deltas, into: file)
        // They would double what the checkpoint takes here.
        for part in [fetched.base] + fetched.deltas { try FileManager.default.removeItem(atPath: part) }
        return file
    }

    /// A reference never holds a slash; without a store only a file can be meant.
    func isPath(_ reference: String) -> Bool {
        if reference.contains("/") { return true }
        return storeOptions.store == nil && storeOptions.config == nil && FileManager.default.fileExists(atPath: reference)
    }
}
