import Engine

extension ClickHouseSink {
    /// Takes back what a restored state does not count: deletes the plan's rows from the tables, waits until they are
    /// gone, and counts that none is left. Blocks, for as long as the server is down; may be repeated at any time.
    ///
    /// Nothing of an earlier lineage may be sent any more: first the end of its queries on the server is waited for.
    /// Throws `locked` when such queries keep coming, `denied` when the user may not delete, `incompatible` when a
    /// table's engine can't, and `invalid` when a mutation fails or gets stuck; each says what to do.
    public func rollBack(
        _ plan: RollbackPlan, from tables: [String], isCancelled: @escaping @Sendable () -> Bool
    ) throws -> RollbackOutcome {
        try Rollback(plan, settings: settings, log: log).run(tables, isCancelled: isCancelled)
    }
}
