import Engine

/// Does to the stored tables what a comparison found; inside the transaction of the start.
final class TableEvolution {
    private let store: SQLiteStateStore
    private let catalog: StateCatalog
    private let rows: StateTableRows
    private let keyed: KeyedRows
    private let jobVersion: Int
    /// Whether what an earlier version reads is kept.
    private let keepsEarlier: Bool
    /// nil until the first table changes: most starts change none.
    private var deltas: [Int64: TableDeltas]?

    /// A table's rows of `delta`.
    private struct TableDeltas {
        var waiting = WaitingDeltas()
        var all: [Int64] = []
    }

    init(store: SQLiteStateStore, catalog: StateCatalog, jobVersion: Int, keepsEarlier: Bool) {
        self.store = store
        self.catalog = catalog
        rows = StateTableRows(database: store.database)
        keyed = KeyedRows(store.database)
        self.jobVersion = jobVersion
        self.keepsEarlier = keepsEarlier
    }

    private var database: Database { store.database }

    /// Returns how many records were written anew, of what does that.
    func perform(_ action: StateCompatibility.Action, on name: StateTableName, as declared: StateDeclaration?) throws -> Int? {
        let stored = catalog.stored.filter { $0.stored.stage == name.stage && $0.schema.table == name.table }
        switch (action, declared) {
        case (.keep, let declared?): try noteSpan(stored, declared)
        case (.migrate, let declared?): return try migrate(stored, declared, name)
        case (.goBack, let declared?): try goBack(stored, declared)
        case (.startEmpty, let declared?):
            for row in stored { try drop(row) }
            _ = try rows.add(declared.schema, to: name.stage, jobVersion: jobVersion)
        case (.ignore, nil):
            for row in stored where row.stored.role == .current { try rows.makeRemoved(row.id, in: jobVersion) }
        case (.discard, nil), (.drop, nil):
            for row in stored { try drop(row) }
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
        for task in tasks(of: row) { try keyed.removeAll(in: RecordGroup(task: task, table: row.id)) }
        try forgetDeltas(row)
        try rows.remove(row.id)
    }

    private func tasks(of row: CatalogTable) -> [Int64] {
        catalog.tasks.filter { $0.key.stage == row.stored.stage }.map(\.value).sorted()
    }

    /// Files of format 1 did not say how long a table's windows are.
    private func noteSpan(_ stored: [CatalogTable], _ declared: StateDeclaration) throws {
        guard let span = declared.schema.span else { return }
        for row in stored where row.schema.span == nil { try rows.note(span, of: row.id) }
    }

    private func goBack(_ stored: [CatalogTable], _ declared: StateDeclaration) throws {
        for row in stored {
            guard row.schema.version == declared.schema.version else {
                try drop(row)
                continue
            }
            try compactAll(row)
            try rows.makeCurrent(row.id)
        }
        try noteSpan(stored, declared)
    }

    private func migrate(_ stored: [CatalogTable], _ declared: StateDeclaration, _ name: StateTableName) throws -> Int {
        guard let row = stored.first(where: { $0.stored.role == .current }) else {
            throw StateError(.bug, "state table \(name.table) of stage \(name.stage) is to be migrated, but nothing is stored")
        }
        let migration = try StateMigration(from: row.schema, to: declared)
        try compactAll(row)
        let new = try rows.add(declared.schema, to: name.stage, jobVersion: jobVersion)
        var count = 0
        for task in tasks(of: row) {
            count += try copy(RecordGroup(task: task, table: row.id), to: RecordGroup(task: task, table: new), migration.forth)
        }
        if keepsEarlier {
            try rows.makeFallback(row.id, carrying: migration.carried)
            try noteSpan([row], declared)
        } else {
            try drop(row)
        }
        return count
    }

    /// Compacts whatever the table's deltas say, so that its rows are all there is.
    private func compactAll(_ row: CatalogTable) throws {
        for (group, rows) in try deltas(of: row).waiting.inOrder { try GroupCompaction.compact(group, rows: rows, in: database) }
        try forgetDeltas(row)
    }

    private func deltas(of row: CatalogTable) throws -> TableDeltas {
        if deltas == nil {
            var found: [Int64: TableDeltas] = [:]
            try DeltaLog(database).forEachRow { row in
                found[row.group.table, default: TableDeltas()].all.append(row.number)
                if !row.isCompacted { found[row.group.table]?.waiting.add(row.number, of: row.group, bytes: row.bytes) }
            }
            deltas = found
        }
        return deltas?[row.id] ?? TableDeltas()
    }

    private func forgetDeltas(_ row: CatalogTable) throws {
        try DeltaLog(database).remove(deltas(of: row).all)
        deltas?[row.id] = nil
        try CompactionMarks(database: database).remove(ofTable: row.id)
        try store.endDeltaChain()
    }

    private func copy(_ old: RecordGroup, to new: RecordGroup, _ mapping: RecordMapping) throws -> Int {
        var scratch = MappingScratch()
        var mapped = ByteWriter(capacity: 1024)
        var count = 0
        try keyed.forEach(in: old) { key, record in
            mapped.removeAll()
            guard mapping.map(record, scratch: &scratch, into: &mapped) else {
                throw StateError(
                    .incompatible,
                    "state table \(mapping.from.table): the record of key '\(key.prefix(64).text)' can't become one of version \(mapping.to.version): it is damaged, or a number does not fit. Nothing was changed; start the version of the job that wrote it, or declare .converting for the field"
                )
            }
            try keyed.store(mapped.view, of: key, in: new)
            count += 1
            return true
        }
        return count
    }
}
