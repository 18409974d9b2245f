import Engine

/// The ids that a state remembers under its hash key. It is all read for them, so only where the key is missing.
struct KeyedIDs {
    let database: Database

    /// A table that has some, as `stage.name`; nil when there is none.
    func table() throws -> String? {
        let placements = PlacementEntries(database: database)
        for table in try StateTableRows(database: database).all()
        where table.schema.key == .windowAndKey && table.schema.fields == StoredIDs.fields {
            let placement = try placements.placement(of: table.schema.table, in: table.stored.stage)
            guard placement == nil || placement == .copiedByNumber else { continue }
            if try hasCompacted(table) || hasChanges(table) { return "\(table.stored.stage).\(table.schema.table)" }
        }
        return nil
    }

    private func hasCompacted(_ table: CatalogTable) throws -> Bool {
        var isKeyed = false
        for task in try TaskTable(database).names() where task.stage == table.stored.stage.text && !isKeyed {
            try KeyedRows(database).forEach(in: RecordGroup(task: task.number, table: table.id)) { _, record in
                isKeyed = StoredIDs(record)?.isKeyed == true
                return !isKeyed
            }
        }
        return isKeyed
    }

    /// Also what is compacted and kept for the next checkpoint: it was under the key, too.
    private func hasChanges(_ table: CatalogTable) throws -> Bool {
        var isKeyed = false
        try DeltaLog(database).forEachChanges(ofTable: table.id) { changes in
            _ = StateDelta.forEachChange(in: changes) { change in
                if case .stored(_, let record) = change, StoredIDs(record)?.isKeyed == true { isKeyed = true }
            }
            return !isKeyed
        }
        return isKeyed
    }
}
