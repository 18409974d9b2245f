import Engine
import Glibc
import Synchronization

/// The durable copy of a worker's reference tables in one SQLite file of its own: records, and how far their topics
/// were read, changed together. Being a copy, it is dropped and read anew wherever it does not fit.
///
/// `@unchecked Sendable`: every use of the connection and of the mutable members happens inside `exclusively`.
public final class ReferenceFile: @unchecked Sendable {
    /// The write-ahead log is moved into the file at this many pages.
    private static let logPages = 4096

    private let database: Database
    private let lock = Mutex(())
    private var ids: [String: Int64] = [:]
    private var statements: Statements?

    /// Why the file that was there was thrown away; nil when it was not.
    package let replacedBecause: String?

    /// Opens, or makes, `references.db` in a state directory that this process has locked. A file that is damaged or of
    /// another format is replaced by an empty one.
    public init(directory: String) throws {
        let path = directory + "/references.db"
        do {
            database = try ReferenceFile.opened(path)
            replacedBecause = nil
        } catch let error as StateError where error.kind == .corrupt || error.kind == .incompatible {
            try Database.remove(path)
            database = try ReferenceFile.opened(path)
            replacedBecause = error.description
        }
    }

    private init(intact database: Database) {
        self.database = database
        replacedBecause = nil
    }

    /// What `open` would find in a directory's file, without changing anything; nil where there is no file. Throws kinds
    /// `corrupt` and `incompatible` for a file that a start would replace.
    package static func inspect(directory: String, _ references: [Reference], partitions: [String: Int]) throws -> [String: Stored]? {
        let path = directory + "/references.db"
        guard access(path, F_OK) == 0 else { return nil }
        let file = ReferenceFile(intact: try opened(path))
        return try file.exclusively { try file.database.undone { try file.declare(references, partitions) } }
    }

    private static func opened(_ path: String) throws -> Database {
        let database = try Database(path: path)
        let version = try database.integer("PRAGMA user_version")
        let application = try database.integer("PRAGMA application_id")
        let tables = try database.integer("SELECT count(*) FROM sqlite_schema")
        if version == 0 && application == 0 && tables == 0 {
            try database.transaction {
                try database.execute(ReferenceFormat.create)
                try database.execute("PRAGMA user_version = \(ReferenceFormat.version)")
                try database.execute("PRAGMA application_id = \(ReferenceFormat.applicationID)")
            }
            database.trustContent()
            return database
        }
        guard application == ReferenceFormat.applicationID else {
            throw StateError(.invalid, "\(path) is another program's database; set state.directory to a directory of Tidemark's own")
        }
        guard version == ReferenceFormat.version || version == 1 else {
            throw StateError(.incompatible, "\(path) has format \(version), this version of Tidemark reads \(ReferenceFormat.version)")
        }
        try (version == 1 ? FileShape.referencesOfFormat1 : FileShape.references).require(of: database, file: path)
        database.trustContent()
        return database
    }

    func exclusively<Result>(_ body: () throws -> Result) rethrows -> Result {
        try lock.withLock { _ in try body() }
    }

    // MARK: - Opening

    /// What the file has of a reference.
    package struct Stored: Sendable {
        /// How far its topic is in the file, by partition; a partition that no record was read of is not among them.
        package var positions: [Int: SourcePosition] = [:]
        /// What the reader had met of how the topic is written.
        package var notes: Set<String> = []
        /// Why what was stored can't be used; nil when it can, or nothing was stored.
        package var droppedBecause: String?
    }

    /// What is stored of each reference, by name; drops what is of another topic or shape, or of references that there
    /// are no more. `partitions`: how many each topic has now.
    package func open(_ references: [Reference], partitions: [String: Int]) throws -> [String: Stored] {
        try exclusively {
            let stored = try database.transaction { try declare(references, partitions) }
            statements = try Statements(database)
            return stored
        }
    }

    private func declare(_ references: [Reference], _ partitions: [String: Int]) throws -> [String: Stored] {
        if try database.integer("PRAGMA user_version") == 1 {
            try database.execute(ReferenceFormat.upgradeOfFormat1)
            try database.execute("PRAGMA user_version = \(ReferenceFormat.version)")
        }
        try dropOthers(than: references.map(\.name))
        return try Dictionary(uniqueKeysWithValues: references.map { ($0.name, try declare($0, partitions: partitions[$0.topic] ?? 0)) })
    }

    private func dropOthers(than names: [String]) throws {
        let query = try Statement(database, "SELECT id, name FROM reference")
        var others: [Int64] = []
        while try query.step() {
            if !names.contains(query.text(1)) { others.append(query.integer(0)) }
        }
        for id in others {
            try empty(id)
            try Statement(database, "DELETE FROM reference WHERE id = ?").run(.integer(id))
        }
    }

    private func declare(_ reference: Reference, partitions: Int) throws -> Stored {
        let query = try Statement(database, "SELECT id, topic, version, fields, partitions FROM reference WHERE name = ?")
        try query.bind(.text(reference.name))
        let fields = SchemaText.json(reference.schema.fields)
        guard try query.step() else {
            try Statement(database, "INSERT INTO reference (name, topic, version, fields, partitions) VALUES (?, ?, ?, ?, ?)").run(
                .text(reference.name), .text(reference.topic), .integer(Int64(reference.schema.version)), .text(fields),
                .integer(Int64(partitions))
            )
            ids[reference.name] = try database.integer("SELECT last_insert_rowid()")
            return Stored()
        }
        let id = query.integer(0)
        ids[reference.name] = id
        var reasons: [String] = []
        if query.text(1) != reference.topic { reasons.append("it is of topic \(query.text(1))") }
        if query.integer(2) != Int64(reference.schema.version) || query.text(3) != fields {
            reasons.append("its records have another shape (version \(query.integer(2)), now \(reference.schema.version))")
        }
        if query.integer(4) != Int64(partitions) { reasons.append("its topic had \(query.integer(4)) partitions and has \(partitions)") }
        query.reset()
        guard !reasons.isEmpty else { return Stored(positions: try positions(of: id), notes: try notes(of: id)) }
        try empty(id)
        try Statement(database, "UPDATE reference SET topic = ?, version = ?, fields = ?, partitions = ? WHERE id = ?").run(
            .text(reference.topic), .integer(Int64(reference.schema.version)), .text(fields), .integer(Int64(partitions)), .integer(id)
        )
        return Stored(droppedBecause: reasons.joined(separator: ", "))
    }

    private func positions(of id: Int64) throws -> [Int: SourcePosition] {
        let query = try Statement(
            database, "SELECT partition, next_offset, last_offset, last_timestamp, last_checksum FROM position WHERE reference = ?")
        try query.bind(.integer(id))
        var positions: [Int: SourcePosition] = [:]
        while try query.step() {
            positions[try query.partition(0)] = try query.position(next: 1)
        }
        return positions
    }

    private func notes(of id: Int64) throws -> Set<String> {
        let query = try Statement(database, "SELECT name FROM note WHERE reference = ?")
        try query.bind(.integer(id))
        var notes: Set<String> = []
        while try query.step() { notes.insert(query.text(0)) }
        return notes
    }

    private func empty(_ id: Int64) throws {
        try Statement(database, "DELETE FROM note WHERE reference = ?").run(.integer(id))
        try Statement(database, "DELETE FROM record WHERE reference = ?").run(.integer(id))
        try Statement(database, "DELETE FROM position WHERE reference = ?").run(.integer(id))
    }

    // MARK: - Using

    /// Forgets the records and positions of a reference whose log does not fit them.
    package func forget(_ name: String) throws {
        try exclusively {
            let id = try id(of: name)
            try database.transaction { try empty(id) }
        }
    }

    private static let recordsBetweenChecks = 1000

    /// Puts the stored records into the table of their reference; `check` is called now and then, and may throw to end it. False,
    /// and the table of no use, when a record is none that the reference could have written.
    package func load(_ reference: Reference, into table: ReferenceTable, check: () throws -> Void = {}) throws -> Bool {
        let isUsable = reference.makeRecordCheck()
        return try exclusively {
            database.boundContent()
            defer { database.trustContent() }
            let query = try Statement(database, "SELECT key, record FROM record WHERE reference = ?")
            try query.bind(.integer(try id(of: table.name)))
            do {
                var count = 0
                while try query.step() {
                    let record = query.blob(1)
                    guard isUsable(record) else { return false }
                    table.load(record, for: query.blob(0))
                    count += 1
                    if count.isMultiple(of: ReferenceFile.recordsBetweenChecks) { try check() }
                }
                try check()
                return true
            } catch let error as StateError where error.kind == .corrupt {
                throw StateError(
                    .corrupt, "\(database.path) is damaged; remove it and \(database.path)-wal, and its topics are read anew", cause: error)
            }
        }
    }

    /// Makes a round of changes durable, all of it or nothing. Throws kind `retry` when trying again may help, as when
    /// the disk is full.
    package func commit(_ round: [ReferenceChanges]) throws {
        try exclusively {
            guard let statements else { throw StateError(.bug, "the reference file was used before it was opened") }
            try database.transaction {
                for changes in round { try write(changes, id: try id(of: changes.name), statements) }
            }
            if database.logPages >= ReferenceFile.logPages { try database.checkpointLog() }
        }
    }

    private func write(_ changes: ReferenceChanges, id: Int64, _ statements: Statements) throws {
        for note in changes.notes { try statements.note.run(.integer(id), .text(note)) }
        if changes.isEmptied { try Statement(database, "DELETE FROM record WHERE reference = ?").run(.integer(id)) }
        try changes.forEach { key, record in
            if let record {
                try statements.store.run(.integer(id), .blob(key), .blob(record))
            } else {
                try statements.remove.run(.integer(id), .blob(key))
            }
        }
        for (partition, position) in changes.positions {
            let last = position.last
            try statements.advance.run(
                .integer(id), .integer(Int64(partition)), .integer(position.next), last.map { .integer($0.offset) } ?? .null,
                last.map { .integer($0.timestamp) } ?? .null, last.map { .integer(Int64($0.checksum)) } ?? .null
            )
        }
    }

    private func id(of name: String) throws -> Int64 {
        guard let id = ids[name] else { throw StateError(.bug, "reference \(name) was not declared to its file") }
        return id
    }

    /// What every commit runs.
    private struct Statements {
        let store: Statement
        let remove: Statement
        let advance: Statement
        let note: Statement

        init(_ database: Database) throws {
            store = try Statement(
                database, "INSERT INTO record (reference, key, record) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record")
            remove = try Statement(database, "DELETE FROM record WHERE reference = ? AND key = ?")
            advance = try Statement(
                database,
                "INSERT OR REPLACE INTO position (reference, partition, next_offset, last_offset, last_timestamp, last_checksum) VALUES (?, ?, ?, ?, ?, ?)"
            )
            note = try Statement(database, "INSERT OR IGNORE INTO note (reference, name) VALUES (?, ?)")
        }
    }
}
