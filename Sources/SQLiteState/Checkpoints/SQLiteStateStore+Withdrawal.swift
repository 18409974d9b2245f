import Engine

extension SQLiteStateStore {
    /// The entry of `meta` that says how far the withdrawal is; there is none when nothing is to be withdrawn.
    static let withdrawalEntry = "withdrawal"

    /// What has to leave the sink, as the file says it.
    func withdrawal(_ lineage: Lineage, _ ends: [String: [LineageEnd]]) throws -> WithdrawalPlan? {
        guard let text = try database.meta(SQLiteStateStore.withdrawalEntry) else { return nil }
        guard let stage = WithdrawalPlan.Stage(rawValue: text) else {
            throw damaged("its entry '\(SQLiteStateStore.withdrawalEntry)' is '\(text)'")
        }
        return WithdrawalPlan(stage: stage, lineage: lineage, tables: ends)
    }

    /// What counts of each table's earlier lineages, in their order.
    func lineageEnds(_ lineage: Lineage, _ opened: Opened) throws -> [String: [LineageEnd]] {
        var tables: [String: [LineageEnd]] = [:]
        let statement = try Statement(
            database, "SELECT output_table, lineage, last_batch FROM lineage_end WHERE lineage < ? ORDER BY lineage")
        try statement.bind(.integer(Int64(lineage.number)))
        while try statement.step() {
            guard let name = opened.catalog.outputNames[statement.integer(0)] else {
                throw damaged("the end of a lineage names an unknown table")
            }
            tables[name, default: []].append(LineageEnd(lineage: try statement.lineage(1), lastBatch: try statement.batch(2)))
        }
        return tables
    }

    /// The rows that the plan names have left the sink; durable when it returns. `isFinal` false: they are looked for once
    /// more, at the next checkpoint, and so after a restart as well.
    public func withdrawalDone(isFinal: Bool) throws {
        try exclusively {
            _ = try ready()
            try database.transaction {
                if isFinal {
                    try database.removeMeta(SQLiteStateStore.withdrawalEntry)
                } else {
                    try setMeta(SQLiteStateStore.withdrawalEntry, WithdrawalPlan.Stage.again.rawValue)
                }
            }
        }
    }

    /// A checkpoint of the state, which superseded those of before, is in the archive; durable when it returns.
    public func supersessionDone() throws {
        try exclusively {
            _ = try ready()
            try database.transaction { try database.removeMeta(VersionsAtRest.supersedingEntry) }
        }
    }
}
