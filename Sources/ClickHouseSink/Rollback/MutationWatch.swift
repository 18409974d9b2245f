/// Waits for the end of a table's mutations that concern a job's rows.
struct MutationWatch {
    let connection: ClickHouseConnection
    let server: RollbackServer
    let table: String
    let trouble: TroubleLog

    private var settings: ClickHouseSettings { connection.settings }

    /// A mutation that is not done.
    private struct Unfinished {
        let id: String
        let command: String
        let partsToDo: String
        /// Empty while it does not fail, or where the server does not say.
        let failure: String
    }

    /// Waits until none is left that names the job; those of an earlier rollback, cut off half-way, are such, too.
    /// False when cancelled before. Throws `invalid` when one fails for `mutationFailurePatience` or makes no progress
    /// for `mutationStallLimit`. A server that goes away goes on with them when it is back, and is waited for.
    func awaitEnd(isCancelled: () -> Bool) throws(SinkError) -> Bool {
        let pollInterval = min(max(settings.resolveDelay / 20, .milliseconds(20)), .milliseconds(500))
        let retry = RollbackRetry(settings: settings, trouble: trouble)
        var progress: [String] = []
        var stillSince = ContinuousClock.now
        var failingSince: ContinuousClock.Instant?
        while !isCancelled() {
            var questions = 0
            let answer = try retry.ask("the mutations of \(settings.database).\(table) can't be seen", isCancelled) {
                () throws(SinkError) in
                questions += 1
                return try unfinished(isCancelled)
            }
            guard let found = answer else { return false }
            guard let first = found.first(where: { !$0.failure.isEmpty }) ?? found.first else { return true }
            let reached = found.map { "\($0.id) \($0.partsToDo)" }
            // While the server is away no mutation can go on.
            if reached != progress || questions > 1 {
                progress = reached
                stillSince = .now
                failingSince = nil
            }
            failingSince = first.failure.isEmpty ? nil : failingSince ?? .now
            if .now - stillSince >= settings.mutationStallLimit { throw stuck(first, settings.mutationStallLimit) }
            if let failingSince, .now - failingSince >= settings.mutationFailurePatience {
                throw stuck(first, settings.mutationFailurePatience)
            }
            trouble.trouble(
                .waiting,
                "rows of earlier lineages are being deleted from \(settings.database).\(table): the mutation \(first.id) has \(first.partsToDo) parts to do\(first.failure.isEmpty ? "" : " and fails: \(first.failure)")"
            )
            guard Pause.wait(pollInterval, unless: isCancelled) else { return false }
        }
        return false
    }

    private func unfinished(_ isCancelled: () -> Bool) throws(SinkError) -> [Unfinished] {
        // As the server writes the text that the condition compares `_task` with, whatever stands around it.
        let task = SQLText.string(SQLText.string(settings.task))
        let failure = server.tellsFailures ? "latest_fail_reason" : "''"
        return try connection.rows(
            """
            SELECT mutation_id, command, toString(parts_to_do), \(failure) FROM system.mutations \
            WHERE database = \(SQLText.string(settings.database)) AND table = \(SQLText.string(table)) AND is_done = 0 AND position(command, \(task)) > 0 ORDER BY mutation_id
            """, isCancelled: isCancelled
        ).map { Unfinished(id: $0[0], command: $0[1], partsToDo: $0[2], failure: $0[3]) }
    }

    private func stuck(_ mutation: Unfinished, _ patience: Duration) -> SinkError {
        let place =
            "database = \(SQLText.string(settings.database)) AND table = \(SQLText.string(table)) AND mutation_id = \(SQLText.string(mutation.id))"
        let end =
            server.tellsFailures
            ? "end it with KILL MUTATION WHERE \(place)"
            : "DETACH the table, delete the file \(mutation.id) from its directory on the server, and ATTACH it"
        let what = mutation.failure.isEmpty ? "has finished no part" : "fails"
        let reason = mutation.failure.isEmpty ? "" : ": \(mutation.failure)"
        return SinkError(
            .invalid,
            "the mutation \(mutation.id) of \(settings.database).\(table) at \(settings.url) (\(mutation.command)) \(what) for \(patience)\(reason). Until it is done, rows of earlier lineages would be counted twice, so nothing is delivered. Mend the cause (SELECT * FROM system.mutations WHERE is_done = 0, and the server's log, tell of it), or \(end); then start again: an unfinished mutation is waited for, a missing one is started again"
        )
    }
}
