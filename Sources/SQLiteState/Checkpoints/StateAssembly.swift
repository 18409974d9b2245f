import Engine
import Foundation

/// Puts a state file together from a base and the deltas that follow it.
package enum StateAssembly {
    /// Makes `stateFile`, in place of what is there: the base with the deltas applied, in order. With `lineage`, it begins
    /// that lineage, as `beginLineage` says; `tables` are then the output tables that rows may have been delivered to, those
    /// of later checkpoints too. It appears whole and durable, or not at all; nobody may have it open. For files that no manifest
    /// says anything of.
    ///
    /// Throws kind `corrupt`, naming the file, when one is damaged; `invalid`, naming both, when a delta does not follow
    /// what is before it; `incompatible` when one is of a format that this version does not read.
    @discardableResult
    package static func assemble(
        base: String, deltas: [String], into stateFile: String, beginning lineage: Lineage? = nil, tables: Set<String> = []
    ) throws -> CheckpointFacts {
        try assemble(base, deltas, stateFile, lineage, tables) { try $0.requireKeyOfIDs() }
    }

    /// The same of a checkpoint's files. `hashKey`: what its manifest says, nil where it says none; files with another one, or with ids
    /// that are remembered under one though it says none, are damaged.
    @discardableResult
    package static func assemble(
        base: String, deltas: [String], into stateFile: String, beginning lineage: Lineage? = nil, tables: Set<String> = [],
        hashKey: HashKey?
    ) throws -> CheckpointFacts {
        try assemble(base, deltas, stateFile, lineage, tables) { try $0.adopt(hashKey) }
    }

    private static func assemble(
        _ base: String, _ deltas: [String], _ stateFile: String, _ lineage: Lineage?, _ tables: Set<String>,
        _ resolveKey: (AssembledFile) throws -> Void
    ) throws -> CheckpointFacts {
        for file in [base] + deltas where !FileManager.default.fileExists(atPath: file) {
            throw StateError(.missing, "there is no file \(file) to restore from; fetch the checkpoint again")
        }
        let unfinished = stateFile + ".assembling"
        try Database.remove(unfinished)
        do {
            let facts = try assembled(base: base, deltas: deltas, in: unfinished, beginning: lineage, tables, resolveKey)
            try DurableFile.sync(unfinished)
            try Database.remove(stateFile)
            try DurableFile.rename(unfinished, to: stateFile)
            return facts
        } catch {
            try Database.remove(unfinished)
            throw error
        }
    }

    private static func assembled(
        base: String, deltas: [String], in file: String, beginning lineage: Lineage?, _ tables: Set<String>,
        _ resolveKey: (AssembledFile) throws -> Void
    ) throws -> CheckpointFacts {
        try DurableFile.copy(base, to: file)
        var assembly = try blaming(base) { try AssembledFile(path: file, base: base) }
        for delta in deltas { try blaming(delta) { try assembly.apply(delta) } }
        return try blaming(([base] + deltas).joined(separator: ", ")) {
            try resolveKey(assembly)
            if let lineage { try LineageStart(assembly.database).begin(lineage, tables: tables) }
            return try assembly.finish()
        }
    }

    /// Says of which file it is that something in it is damaged; what is no table, no number or no blob where there should
    /// be one is damage, too.
    private static func blaming<Result>(_ file: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as StateError where error.kind == .corrupt || error.kind == .bug {
            throw StateError(.corrupt, "the checkpoint's file \(file) is damaged; restore an earlier checkpoint", cause: error)
        }
    }

    /// Makes a state file that nobody has open begin a lineage: batches that are not known to be delivered are unfrozen, the
    /// table `lineage_end` keeps what counts of the lineage that ends, and the rollback of everything else is due.
    package static func beginLineage(_ lineage: Lineage, tables: Set<String> = [], in stateFile: String) throws {
        guard FileManager.default.fileExists(atPath: stateFile) else {
            throw StateError(.missing, "there is no state file \(stateFile); see to state.directory")
        }
        let database = try Database(path: stateFile)
        try StateFormat.requireShape(of: database)
        try LineageStart(database).begin(lineage, tables: tables)
    }
}
