import Engine

/// Does to the stored tables what a comparison found; inside the transaction of the start.
final class TableEvolution {
    private let store: SQLiteStateStore
    private let catalog: StateCatalog
    private let jobVersion: Int
    /// Whether what an earlier version reads is kept.
    private let keepsEarlier: Bool
    /// nil until the first table changes: most starts change none.
    private var deltas: [Int64: TableDeltas]?

    /// A table's rows of `delta`.
    private struct TableDeltas {
        var uncompacted = UncompactedDeltas()
        var all: [Int64] = []
    }

    init(store: SQLiteStateStore, catalog: StateCatalog, jobVersion: Int, keepsEarlier: Bool) {
        self.store = store
        self.catalog = catalog
        self.jobVersion = jobVersion
        self.keepsEarlier = keepsEarlier
    }

    private var database: Database { store.database }

    /// Returns how many records were written anew, of what does that.
    func perform(_ action: StateCompatibility.Action, on name: StateTableName, as declared: StateDeclaration?) throws -> Int? {
        let rows = catalog.stored.filter { $0.stored.stage == name.stage && $0.schema.table == name.table }
        switch (action, declared) {
        case (.keep, let declared?): try noteSpan(rows, declared)
        case (.migrate, let declared?): return try migrate(rows, declared, name)
        case (.goBack, let declared?): try goBack(rows, declared)
        case (.startEmpty, let declared?):
            for row in rows { try drop(row) }
            _ = try add(declared, to: name.stage)
        case (.ignore, nil):
            for row in rows where row.stored.role == .current {
                try Statement(database, "UPDATE state_table SET role = 'removed', removed_in = ? WHERE id = ?").run(
                    .integer(Int64(jobVersion)), .integer(row.id))
            }
        case (.discard, nil), (.drop, nil):
            for row in rows { try drop(row) }
        default: throw StateError(.bug, "state table \(name.table) of stage \(name.stage) can't be treated as '\(action.rawValue)'")
        }
        return nil
    }

    func dropFallbacks() throws {
        for row in catalog.stored where row.stored.role == .fallback { try drop(row) }
        try catalog.readStateTables()
    }

    /// Removes a table with all that it holds.
    func drop(_ row: CatalogTable) throws {
        for task in tasks(of: row) {
            try Statement(database, "DELETE FROM keyed WHERE task = ? AND state_table = ?").run(.integer(task), .integer(row.id))
        }
        try forgetDeltas(row)
        try Statement(database, "DELETE FROM state_table WHERE id = ?").run(.integer(row.id))
    }

    private func tasks(of row: CatalogTable) -> [Int64] {
        catalog.tasks.filter { $0.key.stage == row.stored.stage }.map(\.value).sorted()
    }

    private func add(_ declared: StateDeclaration, to stage: StageName) throws -> Int64 {
        let schema = declared.schema
        try Statement(
            database,
            """
            INSERT INTO state_table (stage, name, version, key_kind, has_timer, window_span, fields, role, job_version)
            VALUES (?, ?, ?, ?, ?, ?, ?, 'current', ?)
            """
        ).run(
            .text(stage.text), .text(schema.table), .integer(Int64(schema.version)), .text(schema.key.rawValue),
            .integer(schema.hasTimer ? 1 : 0),
            schema.span.map { .integer($0.milliseconds) } ?? .null, .text(SchemaText.json(schema.fields)), .integer(Int64(jobVersion))
        )
        return try catalog.lastID()
    }

    /// Files of format 1 did not say how long a table's windows are.
    private func noteSpan(_ rows: [CatalogTable], _ declared: StateDeclaration) throws {
        guard let span = declared.schema.span else { return }
        for row in rows where row.schema.span == nil {
            try Statement(database, "UPDATE state_table SET window_span = ? WHERE id = ?").run(
                .integer(span.milliseconds), .integer(row.id))
        }
    }

    private func goBack(_ rows: [CatalogTable], _ declared: StateDeclaration) throws {
        for row in rows {
            guard row.schema.version == declared.schema.version else {
                try drop(row)
                continue
            }
            try compactAll(row)
            try Statement(database, "UPDATE state_table SET role = 'current', carried = NULL, removed_in = NULL WHERE id = ?").run(
                .integer(row.id))
        }
        try noteSpan(rows, declared)
    }

    private func migrate(_ rows: [CatalogTable], _ declared: StateDeclaration, _ name: StateTableName) throws -> Int {
        guard let row = rows.first(where: { $0.stored.role == .current }) else {
            throw StateError(.bug, "state table \(name.table) of stage \(name.stage) is to be migrated, but nothing is stored")
        }
        let migration = try StateMigration(from: row.schema, to: declared)
        try compactAll(row)
        let new = try add(declared, to: name.stage)
        var count = 0
        for task in tasks(of: row) { count += try copy(row.id, to: new, task, migration.forth) }
        if keepsEarlier {
            try Statement(database, "UPDATE state_table SET role = 'fallback', carried = ? WHERE id = ?").run(
                .text(SchemaText.json(migration.carried)), .integer(row.id))
            try noteSpan([row], declared)
        } else {
            try drop(row)
        }
        return count
    }

    /// Compacts whatever the table's deltas say, so that its rows are all there is.
    private func compactAll(_ row: CatalogTable) throws {
        for (group, rows) in try deltas(of: row).uncompacted.inOrder { try DeltaCompaction(database, group, rows: rows).run() }
        try forgetDeltas(row)
    }

    private func deltas(of row: CatalogTable) throws -> TableDeltas {
        if deltas == nil {
            var found: [Int64: TableDeltas] = [:]
            try DeltaRow.forEach(in: database) { row in
                found[row.group.table, default: TableDeltas()].all.append(row.number)
                if !row.isCompacted { found[row.group.table]?.uncompacted.add(row.number, of: row.group, bytes: row.bytes) }
            }
            deltas = found
        }
        return deltas?[row.id] ?? TableDeltas()
    }

    private func forgetDeltas(_ row: CatalogTable) throws {
        let delete = try Statement(database, "DELETE FROM delta WHERE sequence = ?")
        for number in try deltas(of: row).all { try delete.run(.integer(number)) }
        deltas?[row.id] = nil
        try Statement(database, "DELETE FROM fold_mark WHERE state_table = ?").run(.integer(row.id))
        try store.endDeltaChain()
    }

    private func copy(_ old: Int64, to new: Int64, _ task: Int64, _ mapping: RecordMapping) throws -> Int {
        let select = try Statement(database, "SELECT key, record FROM keyed WHERE task = ? AND state_table = ? ORDER BY key")
        let insert = try Statement(database, "INSERT INTO keyed (task, state_table, key, record) VALUES (?, ?, ?, ?)")
        var scratch = MappingScratch()
        var record = ByteWriter(capacity: 1024)
        var count = 0
        try select.bind(.integer(task), .integer(old))
        // What is inserted lies in another table's range of keys, so the query never meets it.
        while try select.step() {
            record.removeAll()
            guard mapping.map(select.blob(1), scratch: &scratch, into: &record) else {
                let key = select.blob(0).prefix(64).text
                throw StateError(
                    .incompatible,
                    "state table \(mapping.from.table): the record of key '\(key)' can't become one of version \(mapping.to.version): it is damaged, or a number does not fit. Nothing was changed; start the version of the job that wrote it, or declare .converting for the field"
                )
            }
            try insert.run(.integer(task), .integer(new), .blob(select.blob(0)), .blob(record.view))
            count += 1
        }
        return count
    }
}
