import Engine
import Foundation

/// A state file that is being assembled: the base's copy, and the deltas applied so far.
struct AssembledFile {
    /// Deltas are compacted when so many bytes have come together, so that a start has no more of them to read than usual.
    private static let compactionBytes: Int64 = 64 << 20

    let database: Database
    private let base: String
    /// The version of the deltas that continue the base.
    private let deltaVersion: Int64
    private var facts: CheckpointFacts
    /// Of all deltas in the file.
    private var deltaBytes: Int64
    /// The deltas that were attached so far.
    private var applied: [String] = []

    /// `path`: a copy of the base, which is checked.
    init(path: String, base: String) throws {
        self.base = base
        database = try Database(path: path, for: .export)
        database.boundContent()
        try database.execute("PRAGMA cache_size = -65536")
        let format = try StateFormat.version(of: database)
        try AssembledFile.check(database, application: Database.applicationID, versions: DeltaFormat.continued, schema: "main", file: base)
        deltaVersion = DeltaFormat.version(continuing: format)
        facts = try CheckpointFacts(of: database)
        deltaBytes = try DeltaLog(database).byteCount()
    }

    /// Applies the changes of the delta at `path`.
    mutating func apply(_ path: String) throws {
        applied.append(path)
        database.boundContent(with: applied)
        try database.run("ATTACH DATABASE ? AS \(DeltaFormat.schema)", .text(AssembledFile.readOnly(path)))
        do {
            try AssembledFile.check(
                database, application: DeltaFormat.applicationID, versions: deltaVersion...deltaVersion, schema: DeltaFormat.schema,
                file: path)
            let end = try checkedEnd(of: path)
            try database.transaction { try copyChanges() }
            facts = try CheckpointFacts(of: database)
            guard facts.epoch == end else {
                throw StateError(
                    .corrupt, "the delta \(path) says that it ends with epoch \(end), and its state is of epoch \(facts.epoch)")
            }
            deltaBytes += try DeltaLog(database, schema: DeltaFormat.schema).byteCount()
            if deltaBytes >= AssembledFile.compactionBytes {
                try GroupCompaction.compactEverything(in: database)
                deltaBytes = 0
            }
        } catch {
            try database.execute("DETACH DATABASE \(DeltaFormat.schema)")
            throw error
        }
        try database.execute("DETACH DATABASE \(DeltaFormat.schema)")
    }

    /// An address by which SQLite opens a file without ever writing, whatever its name.
    private static func readOnly(_ path: String) -> String {
        let plain = Set("/-_.~".utf8).union(0x30...0x39).union(0x41...0x5A).union(0x61...0x7A)
        let escaped = path.utf8.map { plain.contains($0) ? String(UnicodeScalar($0)) : "%" + String(Int($0) + 256, radix: 16).dropFirst() }
        return "file:" + escaped.joined() + "?mode=ro&immutable=1"
    }

    private static func check(_ database: Database, application: Int64, versions: ClosedRange<Int64>, schema: String, file: String) throws {
        guard try database.integer("PRAGMA \(schema).application_id") == application else {
            throw StateError(.corrupt, "\(file) is no file of Tidemark's of the kind that it should be")
        }
        let found = try database.integer("PRAGMA \(schema).user_version")
        guard versions.contains(found) else {
            let read = versions.count == 1 ? "\(versions.lowerBound)" : "\(versions.lowerBound) to \(versions.upperBound)"
            throw StateError(
                .incompatible, "\(file) has format \(found), this version of Tidemark reads \(read); restore with the version that wrote it"
            )
        }
        let bytes = try database.integer("PRAGMA \(schema).page_count") * database.integer("PRAGMA \(schema).page_size")
        guard try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int64 ?? -1 == bytes else {
            throw StateError(.corrupt, "\(file) has not the \(bytes) bytes that its header says")
        }
        let shape = application == Database.applicationID ? FileShape.state(format: found) : FileShape.delta(version: found)
        try shape?.require(of: database, schema: schema, file: file)
        let findings = try Statement(database, "PRAGMA \(schema).quick_check(1)")
        guard try findings.step(), findings.text(0) == "ok" else { throw StateError(.corrupt, "\(file): \(findings.text(0))") }
        findings.reset()
    }

    /// The epoch that a delta says it ends with, when it continues what was applied so far.
    private func checkedEnd(of path: String) throws -> Epoch {
        let segment = SegmentTable(database: database)
        for (name, known) in SegmentTable.entries(of: facts) {
            let found = try segment.entry(name, of: path)
            guard found == known else { throw doesNotFollow(path, "its \(name) is \(found), not \(known)") }
        }
        if let known = facts.hashKey, try HashKeyEntry(database: database).read(schema: DeltaFormat.schema) != known {
            throw doesNotFollow(path, "its \(HashKeyEntry.name) is another")
        }
        let from = try segment.epoch("from_epoch", of: path)
        guard from == facts.epoch else { throw doesNotFollow(path, "it continues epoch \(from), and this is epoch \(facts.epoch)") }
        let end = try segment.epoch("to_epoch", of: path)
        guard try DeltaLog(database, schema: DeltaFormat.schema).isWithin(after: from, through: end) else {
            throw StateError(.corrupt, "the delta \(path) has changes of other epochs than it says")
        }
        return end
    }

    private func doesNotFollow(_ path: String, _ why: String) -> StateError {
        StateError(
            .invalid,
            "the delta \(path) does not follow the base \(base) and what was applied to it: \(why); restore the files of one checkpoint")
    }

    private func copyChanges() throws {
        for table in DeltaFormat.wholeTables(version: deltaVersion) {
            try database.execute("DELETE FROM main.\(table)")
            try database.execute("INSERT INTO main.\(table) SELECT * FROM \(DeltaFormat.schema).\(table)")
        }
        try DeltaLog(database).append(from: DeltaFormat.schema)
        try EpochOffsets(database).replace(from: DeltaFormat.schema)
        try BatchLedger(database).replace(from: DeltaFormat.schema)
    }

    /// Makes sure that the state has the key that its checkpoint's manifest says, nil where it says none.
    func adopt(_ hashKey: HashKey?) throws { try HashKeyEntry(database: database).adopt(hashKey) }

    /// Makes sure that the state has a key if ids are remembered under one.
    func requireKeyOfIDs() throws { try HashKeyEntry(database: database).requireForIDs() }

    /// Closes what was assembled: nothing of it is kept for deltas of epochs before its own.
    func finish() throws -> CheckpointFacts {
        let log = DeltaLog(database)
        var compacted: [Int64] = []
        try log.forEachRow { if $0.isCompacted { compacted.append($0.number) } }
        try log.remove(compacted)
        try MetaTable(database).set(Compactor.keptAfter, String(facts.epoch.number))
        // It is the checkpoint itself that supersedes those of before.
        try MetaTable(database).remove(VersionsAtRest.supersedingEntry)
        return try CheckpointFacts(of: database)
    }
}
