import Engine

/// Promise 4: before anything is delivered, the table must not hold rows that the state knows nothing of.
struct LedgerCheck {
    let connection: ClickHouseConnection

    /// Throws when the sink is ahead of the state, or when it can't be asked.
    func check(_ known: SinkTable, _ table: TableFacts) throws(SinkError) {
        if let mismatch = try mismatch(known, table) { throw mismatch }
    }

    /// Why nothing may be delivered; nil when all fits. Looks only for a first row that does not, by columns that are indexed
    /// where the server can. Throws when the server can't be asked.
    func mismatch(_ known: SinkTable, _ table: TableFacts, isCancelled: () -> Bool = { false }) throws(SinkError) -> SinkError? {
        let task = "_task = \(SQLText.string(connection.settings.task))"
        let place = "the table \(table.name) at \(connection.settings.url)"
        if known.isNewState {
            guard let found = try first("\(task)", table, isCancelled) else { return nil }
            return SinkError(
                .invalid,
                "\(place) holds rows of the job \(connection.settings.job) (batch \(found.batch) of lineage \(found.lineage)), but the state directory is empty: everything would be delivered again. Name the state directory that this job has used (state.directory), or a copy of it as the last run left it; or start anew with new tables (another clickhouse.database) or another job.id"
            )
        }
        let last = known.lastFrozen?.number ?? 0
        if let found = try first("\(task) AND _lineage = \(known.lineage) AND _batch > \(last)", table, isCancelled) {
            return SinkError(
                .invalid,
                "\(place) holds batch \(found.batch) of lineage \(found.lineage), but the state of the job \(connection.settings.job) has made batches only up to \(last) there: this state is older than what was delivered (a restored or copied state directory?). Run the job on the newest state, or start anew with an empty state directory, another checkpoints.store and new tables (another clickhouse.database) or another job.id"
            )
        }
        if let uncounted = try uncountedRows(known, table, place, isCancelled) { return uncounted }
        guard let found = try first("\(task) AND _lineage > \(known.lineage)", table, isCancelled) else { return nil }
        return SinkError(
            .fenced,
            "\(place) holds batch \(found.batch) of lineage \(found.lineage), but this state of the job \(connection.settings.job) is of lineage \(known.lineage): the job was restored elsewhere and goes on there. Stop this worker, or run it on the newest lineage's state"
        )
    }

    /// After a rollback nothing beyond what counts may come again: the present lineage has delivered those rows anew.
    private func uncountedRows(_ known: SinkTable, _ table: TableFacts, _ place: String, _ isCancelled: () -> Bool) throws(SinkError)
        -> SinkError?
    {
        guard let ends = known.lineageEnds, known.lineage > .first else { return nil }
        let settings = connection.settings
        let rows = UncountedRows(task: settings.task, before: known.lineage, ends: ends, quotedName: table.quotedName)
        guard let found = try first(rows.condition, table, isCancelled) else { return nil }
        let problem =
            "\(place) holds batch \(found.batch) of lineage \(found.lineage), which the state of the job \(settings.job) (lineage \(known.lineage)) does not count"
        let copies = try CopiedRows(connection: connection, table: table, task: settings.task).count(rows.condition, isCancelled)
        guard copies.uncounted > copies.thereAgain else {
            return SinkError(
                .invalid,
                "\(problem): a worker that was cut off has delivered it after the rollback. All \(copies.uncounted) rows that don't count were looked for and are there once more among those that do. Make sure that no other worker of the job runs, then delete them: \(rows.deletion)"
            )
        }
        return SinkError(
            .invalid,
            "\(problem). Of \(copies.uncounted) rows that don't count \(copies.thereAgain) are there once more among those that do, and the others nowhere else: nothing will compute those again, so don't delete them. Run the job on the state that delivered them, or restore a checkpoint from before they were delivered (`checkpoint ls`, `checkpoint rewind`): it rolls back them and computes them anew"
        )
    }

    private func first(_ condition: String, _ table: TableFacts, _ isCancelled: () -> Bool) throws(SinkError) -> (
        lineage: String, batch: String
    )? {
        let rows = try connection.rows(
            "SELECT toString(_lineage), toString(_batch) FROM \(table.quotedName) WHERE \(condition) LIMIT 1", isCancelled: isCancelled)
        guard let row = rows.first, row.count == 2 else { return nil }
        return (row[0], row[1])
    }
}
