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
