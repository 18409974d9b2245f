import Engine

/// Empties one table of the rows of earlier lineages that the restored state does not count.
///
/// What an attempt did is not believed but counted. A mutation may be started twice, or reach the server late: it
/// deletes only rows that no state of this history will ever count again.
struct TableRollback {
    private let plan: RollbackPlan
    private let table: String
    private let engine: String
    private let server: RollbackServer
    private let connection: ClickHouseConnection
    private let trouble: TroubleLog
    private let read: CaughtUpRead
    private let rows: UncountedRows

    /// How many mutations that the server answered may leave rows behind.
    private static let attempts = 5

    init(
        _ plan: RollbackPlan, table: String, engine: String, server: RollbackServer, connection: ClickHouseConnection,
        trouble: TroubleLog
    ) {
        self.plan = plan
        self.table = table
        self.engine = engine
        self.server = server
        self.connection = connection
        self.trouble = trouble
        let quotedName = SQLText.table(connection.settings.database, table)
        read = CaughtUpRead(connection: connection, dialect: server.dialect, quotedName: quotedName, engine: engine)
        rows = UncountedRows(task: connection.settings.task, before: plan.lineage, ends: plan.tables[table] ?? [], quotedName: quotedName)
    }

    private var settings: ClickHouseSettings { connection.settings }
    private var name: String { "\(settings.database).\(table)" }

    /// How many rows were found at first; nil when cancelled before all were gone.
    func run(isCancelled: () -> Bool) throws(SinkError) -> Int? {
        if plan.stage == .due { guard try lookForLastCounted(isCancelled) else { return nil } }
        guard let found = try count(isCancelled) else { return nil }
        if found == 0 { return 0 }
        trouble.notice(
            "\(name) holds \(found) rows that were delivered after the checkpoint which this state was restored from: deleting them, to compute them again"
        )
        let mutations = MutationWatch(connection: connection, server: server, table: table, trouble: trouble)
        var backoff = Backoff(settings)
        var answered = 0
        var refusal: SinkError?
        while try mutations.awaitEnd(isCancelled: isCancelled) {
            guard let left = try count(isCancelled) else { return nil }
            if left == 0 {
                trouble.notice("\(found) rows were rolled back in \(name)")
                guard try tellOfViews(isCancelled) else { return nil }
                return found
            }
            guard answered < TableRollback.attempts else { throw stillThere(left, refusal) }
            switch try delete(isCancelled) {
            case .accepted:
                answered += 1
                backoff.reset()
            case .refused(let error):
                answered += 1
                refusal = error
                guard backoff.wait(unless: isCancelled) else { return nil }
            case .unknown:
                guard backoff.wait(unless: isCancelled) else { return nil }
            }
        }
        return nil
    }

    /// Rows that count and are gone are nobody's to compute again: it is told, as it can't be mended by waiting.
    /// False when cancelled before.
    private func lookForLastCounted(_ isCancelled: () -> Bool) throws(SinkError) -> Bool {
        guard let end = plan.tables[table]?.last, let last = end.lastBatch else { return true }
        let condition = "_task = \(SQLText.string(settings.task)) AND _lineage = \(end.lineage) AND _batch = \(last)"
        guard
            let isThere = try ask(
                "batch \(last) of \(name) can't be looked for", isCancelled,
                { () throws(SinkError) in
                    try !read.rows("SELECT 1 FROM \(read.quotedName) WHERE \(condition) LIMIT 1", isCancelled: isCancelled).isEmpty
                })
        else { return false }
        if !isThere {
            trouble.warning(
                "\(name) does not hold batch \(last) of lineage \(end.lineage), the last that the restored state counts there: it was deleted by hand, by a TTL, or when an older checkpoint was restored before this one. This state will not compute its rows again, nor those of other batches that are gone; if they are wanted, restore a checkpoint from before they were delivered"
            )
        }
        return true
    }

    /// What a materialized view made of the deleted rows stays in it; false when cancelled before.
    private func tellOfViews(_ isCancelled: () -> Bool) throws(SinkError) -> Bool {
        let place = "database = \(SQLText.string(settings.database)) AND name = \(SQLText.string(table))"
        guard
            let views = try ask(
                "the views on \(name) can't be seen", isCancelled,
                { () throws(SinkError) in
                    try connection.rows("SELECT arrayJoin(dependencies_table) FROM system.tables WHERE \(place)", isCancelled: isCancelled)
                })
        else { return false }
        if !views.isEmpty {
            trouble.warning(
                "rows were rolled back in \(name), but what the materialized views on it (\(views.joined().joined(separator: ", "))) made of them stays there: build those anew"
            )
        }
        return true
    }

    private func ask<Answer>(
        _ problem: String, _ isCancelled: () -> Bool, _ question: () throws(SinkError) -> Answer
    ) throws(SinkError) -> Answer? {
        try RollbackRetry(settings: settings, trouble: trouble).ask(problem, isCancelled, question)
    }

    private func count(_ isCancelled: () -> Bool) throws(SinkError) -> Int? {
        try ask("the rows of \(name) to roll back can't be counted", isCancelled) { () throws(SinkError) in
            let answer = try read.rows("SELECT count() FROM \(read.quotedName) WHERE \(rows.condition)", isCancelled: isCancelled)
            guard let number = answer.first?.first.flatMap({ Int($0) }) else {
                throw SinkError(.retry, "ClickHouse answered a count of \(name) without a number")
            }
            return number
        }
    }

    private enum Attempt {
        case accepted
        case refused(SinkError)
        /// No clear answer: what came of it shows in the mutations and the count.
        case unknown
    }

    private func delete(_ isCancelled: () -> Bool) throws(SinkError) -> Attempt {
        switch connection.send(rows.deletion, parameters: parameters, isCancelled: isCancelled) {
        case .success: return .accepted
        case .refused(let refusal) where refusal.code == ServerRefusal.unfinished: return .accepted
        case .refused(let refusal) where refusal.code == nil && refusal.kind == .retry || refusal.code == ServerRefusal.queryIsRunning:
            trouble.trouble(.unknown, "the deletion from \(name) got no clear answer: \(refusal)")
            return .unknown
        case .refused(let refusal):
            let error = refused(refusal)
            guard error.kind == .invalid else { throw error }
            trouble.trouble(.waiting, error.message)
            return .refused(error)
        case .broken(let error):
            trouble.trouble(.waiting, "the deletion from \(name) got no answer: \(error)")
            return .unknown
        }
    }

    /// The answer comes when the mutation is written down, except where other replicas must have done it as well.
    private var parameters: [(name: String, value: String)] {
        let name = BatchName.prefix(settings, table: table) + "\(plan.lineage)/withdrawal"
        let isReplicated = engine.begins(with: "Replicated") || engine.begins(with: "Shared")
        return [("query_id", name)]
            + (server.dialect.settings.contains("mutations_sync") ? [("mutations_sync", isReplicated ? "2" : "0")] : [])
    }

    private func refused(_ refusal: ServerRefusal) -> SinkError {
        let problem =
            "\(name) at \(settings.url) holds rows that were delivered after the checkpoint which this state was restored from, and they must be deleted before any are delivered again"
        switch refusal.kind {
        case .denied:
            return SinkError(
                .denied,
                "\(problem), which the user \(settings.user) may not: GRANT ALTER DELETE ON \(read.quotedName) TO \(SQLText.identifier(settings.user)), or, where rights are kept in users.xml, take the user's profile off readonly; then start again. \(refusal)"
            )
        case _ where refusal.code == ServerRefusal.notImplemented:
            return SinkError(
                .incompatible,
                "\(problem), but its engine \(engine) can't delete rows. Delete them where they lie (each table behind it): \(rows.deletion), or drop and create a table that holds nothing else; then start again. \(refusal)"
            )
        default:
            return SinkError(refusal.kind, "\(problem), but the server refused: \(refusal). The statement: \(rows.deletion)")
        }
    }

    private func stillThere(_ left: Int, _ refusal: SinkError?) -> SinkError {
        if let refusal { return refusal }
        return SinkError(
            .invalid,
            "\(name) at \(settings.url) still holds \(left) rows of earlier lineages of the job \(settings.job) after \(TableRollback.attempts) mutations that deleted such rows: is a worker running elsewhere on a state from before this one was restored? Stop it, then start again"
        )
    }
}

/// The rows of a job's earlier lineages that its state does not count.
struct UncountedRows {
    /// An SQL condition that holds for them and no others.
    let condition: String
    /// The rows as the statement deletes them, for messages and for the server.
    let deletion: String

    /// - Parameter ends: what counts of the earlier lineages; of those that are not listed, nothing does.
    init(task: String, before lineage: Lineage, ends: [LineageEnd], quotedName: String) {
        let counted = ends.compactMap { end in end.lastBatch.map { "(_lineage = \(end.lineage) AND _batch <= \($0))" } }
        let earlier = "_task = \(SQLText.string(task)) AND _lineage < \(lineage)"
        condition = counted.isEmpty ? earlier : "\(earlier) AND NOT (\(counted.joined(separator: " OR ")))"
        deletion = "ALTER TABLE \(quotedName) DELETE WHERE \(condition)"
    }
}
