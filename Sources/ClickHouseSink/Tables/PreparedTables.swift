import Engine

/// A server and its tables as they were seen, for a start to go on with while that server is away.
struct PreparedTables {
    struct Table {
        let facts: TableFacts
        let isExactlyOnce: Bool
        /// nil for a table that this version of the job does not have.
        let partitioning: RowPartitioning?
    }

    let dialect: ServerDialect
    let tables: [String: Table]

    /// False when there is a table that was not seen and may be needed, or a state that begins: with that nothing could be
    /// compared later, after all had been read.
    func covers(_ wanted: [SinkTable]) -> Bool {
        wanted.allSatisfy { known in
            guard !known.isNewState else { return false }
            return tables[known.table.name] != nil || !known.isDeclared && known.waitingLayouts.isEmpty
        }
    }
}
