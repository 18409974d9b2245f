import CheckpointStores
import CommandLineParts
import Engine
import SQLiteState

extension CheckpointSource {
    /// Puts the state file of what `reference` names together in `directory`, which is to be a state directory. `name`: the
    /// checkpoint's number in its store, or the path that the user gave.
    func assemble(_ reference: String, in directory: String) throws -> (name: String, facts: CheckpointFacts) {
        guard !isPath(reference) else {
            let held = try HeldState(path: reference) { try Scratch.make(below: NewFile.directory(of: directory)) }
            return try withExtendedLifetime(held) {
                (reference, try StateAssembly.assemble(base: held.reader.path, deltas: [], into: directory + "/state.db"))
            }
        }
        let (store, manifest) = try stored(reference)
        return ("\(manifest.number)", try CheckpointSource.assemble(manifest, of: store, in: directory))
    }

    /// The same of a store's checkpoint. With `lineage` the state begins that lineage, and `tables` are the output tables that
    /// rows may have been delivered to.
    @discardableResult
    static func assemble(
        _ manifest: Manifest, of store: CheckpointStore, in directory: String, beginning lineage: Lineage? = nil, tables: Set<String> = []
    ) throws -> CheckpointFacts {
        // Beside it, where there has to be room anyway.
        let fetched = try store.fetch(manifest, into: try Scratch.make(below: NewFile.directory(of: directory)))
        return try StateAssembly.assemble(
            base: fetched.base, deltas: fetched.deltas, into: directory + "/state.db", beginning: lineage, tables: tables,
            hashKey: manifest.hashKey
        )
    }
}
