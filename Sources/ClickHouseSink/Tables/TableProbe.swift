import Engine

/// Looks at a job's tables as a start would, changing nothing.
struct TableProbe {
    let connection: ClickHouseConnection
    let dialect: ServerDialect

    private var settings: ClickHouseSettings { connection.settings }
    var inspection: TableInspection { TableInspection(connection: connection, dialect: dialect) }
    private var rights: UserRights { UserRights(connection: connection, dialect: dialect) }

    /// The table as it is; nil when nothing can be delivered to it, and nothing has to be. Throws `missing` when it has to be there.
    func facts(of known: SinkTable) throws(SinkError) -> TableFacts? {
        if let facts = try inspection.facts(of: known.table.name) { return facts }
        guard !known.isDeclared else { throw inspection.missing(known.table) }
        guard !known.waitingLayouts.isEmpty else { return nil }
        throw SinkError(
            .missing,
            "rows wait for the table \(settings.database).\(known.table.name), which this version of the job does not have, and there is no such table at \(settings.url): create it again to have them delivered; the version of the job that has it does so, or run: \(CreateStatements(database: settings.database, dialect: dialect).createTable(known.table))"
        )
    }

    /// Throws when the server can't be asked; what keeps the job from starting is in the report. nil for a table that need not
    /// be there and is not.
    func report(on known: SinkTable, _ intent: StartIntent) throws(SinkError) -> TableReport? {
        let found: TableFacts?
        do {
            found = try facts(of: known)
        } catch {
            guard error.kind == .missing else { throw error }
            return try reportOfAbsence(known, error)
        }
        guard let found else { return nil }
        let inspected = known.isDeclared ? inspection.inspect(known.table, in: found, known: known.knownLayouts) : nil
        var notices = (inspected?.notices ?? []) + waitingRows(known, found)
        if !intent.rollsBack { notices += try rollbackNotice(found) }
        do {
            try require(known, found, try inspected?.layout.get(), intent)
        } catch {
            guard error.kind != .retry else { throw error }
            return TableReport(table: known.table.name, standing: .unfit(error), problems: inspected?.problems ?? [], notices: notices)
        }
        let partitioning = PartitionKey.partitioning(found.partitionKey, timeColumn: known.table.timeColumn) ?? .none
        return TableReport(table: known.table.name, standing: .fits(partitioning), problems: [], notices: notices)
    }

    /// What a start would need that goes on from an earlier checkpoint, as after a lost disk; no other does.
    private func rollbackNotice(_ found: TableFacts) throws(SinkError) -> [String] {
        do {
            try rights.requireRollback(from: found)
            return []
        } catch {
            guard error.kind == .denied else { throw error }
            return ["a start that restores an earlier checkpoint would be refused: \(error.message)"]
        }
    }

    /// A table that a run creates, or may not.
    private func reportOfAbsence(_ known: SinkTable, _ missing: SinkError) throws(SinkError) -> TableReport {
        var standing = TableReport.Standing.unfit(missing)
        if known.isDeclared && settings.createTables {
            do {
                try rights.requireCreation(of: known.table.name)
                standing = .absent
            } catch {
                guard error.kind != .retry else { throw error }
                standing = .unfit(error)
            }
        }
        return TableReport(table: known.table.name, standing: standing, problems: [], notices: [])
    }

    private func require(_ known: SinkTable, _ found: TableFacts, _ layout: TableLayout?, _ intent: StartIntent) throws(SinkError) {
        if let layout { try rights.requireDelivery(to: layout) }
        if intent.rollsBack { try rights.requireRollback(from: found) }
        guard inspection.doubtOfExactlyOnce(found, known.table) == nil else { return }
        try requireVisibleProcesses()
        if intent.comparesLedger { try LedgerCheck(connection: connection).check(known, found) }
    }

    /// What keeps rows of other versions of the job from being delivered; it keeps no version from starting.
    private func waitingRows(_ known: SinkTable, _ found: TableFacts) -> [String] {
        known.waitingLayouts.filter { $0 != known.table || !known.isDeclared }.flatMap { layout in
            inspection.inspect(layout, in: found, known: known.knownLayouts + [known.table]).problems.map {
                "rows that another version of the job wrote wait, and the table can't take them: \($0)"
            }
        }
    }

    /// Without this view no unanswered batch could ever be resolved.
    func requireVisibleProcesses() throws(SinkError) {
        do {
            _ = try connection.rows("SELECT count() FROM system.processes WHERE query_id = ''")
        } catch {
            guard error.kind != .retry else { throw error }
            throw SinkError(
                .invalid,
                "the user \(settings.user) can't read system.processes, which is needed to deliver exactly once; GRANT SELECT ON system.processes, and KILL QUERY",
                cause: error)
        }
    }
}

/// What a start would do with the tables beside delivering to them.
package struct StartIntent: Sendable {
    /// What the tables hold must fit the state: it is known as the start will find it.
    package var comparesLedger: Bool
    /// Rows that were delivered after the state's checkpoint are deleted first.
    package var rollsBack: Bool

    package init(comparesLedger: Bool, rollsBack: Bool) {
        self.comparesLedger = comparesLedger
        self.rollsBack = rollsBack
    }
}

/// What a start would find of one of a job's tables.
package struct TableReport: Sendable {
    package enum Standing: Sendable {
        /// It can take the job's rows, in batches cut so.
        case fits(RowPartitioning)
        /// There is no such table.
        case absent
        /// Why the job can't start with it.
        case unfit(SinkError)
    }

    package let table: String
    package let standing: Standing
    /// What is wrong with the table itself, each with what to do; empty when it fits, or when something else keeps the job out.
    package let problems: [String]
    /// What keeps no row out, each with what can be done.
    package let notices: [String]

    package var isUnfit: Bool { if case .unfit = standing { true } else { false } }

    /// What has to be done before the job can start with the table, a line each.
    package var lines: [String] {
        guard case .unfit(let error) = standing else { return [] }
        return problems.isEmpty ? [error.description] : problems
    }
}
