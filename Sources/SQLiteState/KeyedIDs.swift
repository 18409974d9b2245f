import Engine

/// The ids that a state remembers under its hash key. It is all read for them, so only where the key is missing.
struct KeyedIDs {
    let database: Database

    /// A table that has some, as `stage.name`; nil when there is none.
    func table() throws -> String? {
        let placements = PlacementEntries(database: database)
        for table in try CatalogTable.all(in: database) where table.schema.key == .windowAndKey && table.schema.fields == StoredIDs.fields {
            let placement = try placements.placement(of: table.schema.table, in: table.stored.stage)
            guard placement == nil || placement == .copiedByNumber else { continue }
            if try hasCompacted(table) || hasChanges(table) { return "\(table.stored.stage).\(table.schema.table)" }
        }
        return nil
    }

    private func hasCompacted(_ table: CatalogTable) throws -> Bool {
        let task = try Statement(database, "SELECT id FROM main.task WHERE stage = ?")
        try task.bind(.text(table.stored.stage.text))
        let record = try Statement(database, "SELECT record FROM main.keyed WHERE task = ? AND state_table = ?")
        while try task.step() {
            try record.bind(.integer(task.integer(0)), .integer(table.id))
            while try record.step() {
                if StoredIDs(record.blob(0))?.isKeyed == true { return true }
            }
        }
        return false
    }

    /// Also what is compacted and kept for the next checkpoint: it was under the key, too.
    private func hasChanges(_ table: CatalogTable) throws -> Bool {
        let delta = try Statement(database, "SELECT bytes FROM main.delta WHERE state_table = ?")
        try delta.bind(.integer(table.id))
        var isKeyed = false
        while try !isKeyed && delta.step() {
            _ = StateDelta.forEachChange(in: delta.blob(0)) { change in
                if case .stored(_, let record) = change, StoredIDs(record)?.isKeyed == true { isKeyed = true }
            }
        }
        return isKeyed
    }
}
