import Engine

extension SQLiteStateStore {
    /// The entry of `meta` that says how far the rollback is; there is none when nothing is to be rolled back.
    static let rollbackEntry = "withdrawal"

    /// What has to leave the sink, as the file says it.
    func rollback(_ lineage: Lineage, _ ends: [String: [LineageEnd]]) throws -> RollbackPlan? {
        guard let text = try meta.value(SQLiteStateStore.rollbackEntry) else { return nil }
        guard let stage = RollbackPlan.Stage(rawValue: text) else {
            throw damaged("its entry '\(SQLiteStateStore.rollbackEntry)' is '\(text)'")
        }
        return RollbackPlan(stage: stage, lineage: lineage, tables: ends)
    }

    /// What counts of each table's earlier lineages, in their order.
    func lineageEnds(_ lineage: Lineage, _ opened: Opened) throws -> [String: [LineageEnd]] {
        var tables: [String: [LineageEnd]] = [:]
        for (table, end) in try LineageEnds(database: database).all(before: lineage) {
            guard let name = opened.catalog.outputNames[table] else { throw damaged("the end of a lineage names an unknown table") }
            tables[name, default: []].append(end)
        }
        return tables
    }

    /// The rows that the plan names have left the sink; durable when it returns. `isFinal` false: they are looked for once
    /// more, at the next checkpoint, and so after a restart as well.
    package func rollbackDone(isFinal: Bool) throws {
        try exclusively {
            _ = try ready()
            try database.transaction {
                if isFinal {
                    try meta.remove(SQLiteStateStore.rollbackEntry)
                } else {
                    try meta.set(SQLiteStateStore.rollbackEntry, RollbackPlan.Stage.again.rawValue)
                }
            }
        }
    }

    /// A checkpoint of the state, which superseded those of before, is in the archive; durable when it returns.
    package func supersessionDone() throws {
        try exclusively {
            _ = try ready()
            try database.transaction { try meta.remove(VersionsAtRest.supersedingEntry) }
        }
    }
}
