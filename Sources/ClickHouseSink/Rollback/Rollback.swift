import Engine
import Logging

/// One rollback of a job's rows from its tables: waits until no earlier lineage's query runs, then empties table by table.
struct Rollback {
    private let plan: RollbackPlan
    private let settings: ClickHouseSettings
    private let log: Logger
    private let connection: ClickHouseConnection

    init(_ plan: RollbackPlan, settings: ClickHouseSettings, log: Logger) throws(SinkError) {
        self.plan = plan
        self.settings = settings
        self.log = log
        connection = try ClickHouseConnection(settings)
    }

    func run(_ tables: [String], isCancelled: () -> Bool) throws(SinkError) -> RollbackOutcome {
        guard try awaitQuiet(tables, isCancelled), let server = try look(tables, isCancelled) else { return .cancelled }
        var rows: [String: Int] = [:]
        for table in tables {
            // A table that is not there holds nothing.
            guard let engine = server.engines[table] else {
                rows[table] = 0
                continue
            }
            let rollback = TableRollback(
                plan, table: table, engine: engine, server: server, connection: connection, trouble: trouble(table)
            )
            guard let found = try rollback.run(isCancelled: isCancelled) else { return .cancelled }
            rows[table] = found
        }
        return .rolledBack(rowsPerTable: rows)
    }

    /// Nothing that an earlier lineage sent may land after the count; false when cancelled before.
    private func awaitQuiet(_ tables: [String], _ isCancelled: () -> Bool) throws(SinkError) -> Bool {
        guard !tables.isEmpty else { return true }
        let queries = tables.map { BatchName.isEarlier(than: plan.lineage, settings, table: $0) }.joined(separator: " OR ")
        let wait = QuietWait(connection: connection, trouble: trouble("all"))
        switch wait.wait(for: "(\(queries))", patience: settings.otherWorkerPatience, isCancelled: isCancelled) {
        case .quiet: return true
        case .cancelled: return false
        case .busy(let time):
            throw SinkError(
                .locked,
                "the server \(settings.url) has been getting queries of earlier lineages of the job \(settings.job) for \(time): a worker of the job is still running elsewhere on a state from before this one was restored. Stop it, then start this one again; nothing was rolled back"
            )
        }
    }

    /// What the server is and which of the tables it has; nil when cancelled before it could be asked.
    private func look(_ tables: [String], _ isCancelled: () -> Bool) throws(SinkError) -> RollbackServer? {
        let retry = RollbackRetry(settings: settings, trouble: trouble("all"))
        return try retry.ask("what the server is can't be found out", isCancelled) { () throws(SinkError) in
            try RollbackServer(connection, tables: tables, isCancelled)
        }
    }

    private func trouble(_ table: String) -> TroubleLog {
        TroubleLog(log, table: table, status: TableStatusBox(table: table), interval: settings.logInterval)
    }
}

/// What a rollback has to know of the server.
struct RollbackServer {
    let dialect: ServerDialect
    /// The engines of the tables that are there, by name.
    let engines: [String: String]
    /// Whether `system.mutations` says why a mutation fails; 18.16's does not.
    let tellsFailures: Bool

    /// Throws when the server can't be asked or refuses.
    init(_ connection: ClickHouseConnection, tables: [String], _ isCancelled: () -> Bool) throws(SinkError) {
        dialect = try ServerDialect.detect(connection)
        let names = tables.map(SQLText.string).joined(separator: ", ")
        let database = SQLText.string(connection.settings.database)
        let found =
            tables.isEmpty
            ? []
            : try connection.rows(
                "SELECT name, engine FROM system.tables WHERE database = \(database) AND name IN (\(names))", isCancelled: isCancelled)
        engines = Dictionary(found.map { ($0[0], $0[1]) }) { first, _ in first }
        tellsFailures = try !connection.rows(
            "SELECT 1 FROM system.columns WHERE database = 'system' AND table = 'mutations' AND name = 'latest_fail_reason'",
            isCancelled: isCancelled
        ).isEmpty
    }
}

/// Asks until the server answers.
struct RollbackRetry {
    let settings: ClickHouseSettings
    let trouble: TroubleLog

    /// What `question` returned; nil when cancelled before. While the server is away or too busy it is asked again, after
    /// pauses that grow to `retryPauseLimit`; what only a person can change is thrown.
    func ask<Answer>(
        _ problem: String, _ isCancelled: () -> Bool, _ question: () throws(SinkError) -> Answer
    ) throws(SinkError) -> Answer? {
        var backoff = Backoff(settings)
        while !isCancelled() {
            do {
                return try question()
            } catch {
                switch error.kind {
                case .retry, .invalid: trouble.trouble(.waiting, "\(problem): \(error)")
                case .denied, .missing, .incompatible, .corrupt, .fenced, .locked, .bug: throw error
                }
            }
            guard backoff.wait(unless: isCancelled) else { return nil }
        }
        return nil
    }
}

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
