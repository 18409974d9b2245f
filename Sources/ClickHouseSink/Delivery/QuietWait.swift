import CurlHTTP
import Engine

/// Waits until the server has shown nothing of some queries for the resolve delay: only then can no attempt change the
/// count any more. Only time in which the server answers counts.
struct QuietWait {
    let connection: ClickHouseConnection
    let trouble: TroubleLog

    private var settings: ClickHouseSettings { connection.settings }

    private enum Sight {
        case quiet
        case running
        case blind(String)
    }

    enum Outcome: Equatable {
        case quiet
        case cancelled
        /// Queries kept coming for as long as this.
        case busy(Duration)
    }

    /// - Parameter queries: an SQL condition on `query_id`.
    /// - Returns: false when cancelled before.
    func wait(for queries: String, isCancelled: () -> Bool) -> Bool {
        wait(for: queries, patience: nil, isCancelled: isCancelled) == .quiet
    }

    /// - Parameter patience: for how long queries may come and go; nil for ever. While the server doesn't answer, it
    ///   does not run out.
    func wait(for queries: String, patience: Duration?, isCancelled: () -> Bool) -> Outcome {
        let pollInterval = min(max(settings.resolveDelay / 20, .milliseconds(20)), .milliseconds(500))
        var quietSince: ContinuousClock.Instant?
        var runningSince: ContinuousClock.Instant?
        var busySince: ContinuousClock.Instant?
        var backoff = Backoff(settings)
        while !isCancelled() {
            let asked = ContinuousClock.now
            switch look(queries, isCancelled) {
            case .quiet:
                runningSince = nil
                let since = quietSince ?? .now
                if asked - since >= settings.resolveDelay { return .quiet }
                quietSince = since
            case .running:
                quietSince = nil
                let since = runningSince ?? asked
                runningSince = since
                if asked - since >= settings.killAfter {
                    kill(queries, after: asked - since, isCancelled)
                    runningSince = asked
                }
                let began = busySince ?? asked
                busySince = began
                if let patience, asked - began >= patience { return .busy(asked - began) }
            case .blind(let reason):
                quietSince = nil
                busySince = nil
                trouble.trouble(.waiting, "what runs on the server can't be seen, so an unanswered batch has to wait: \(reason)")
                guard backoff.wait(unless: isCancelled) else { return .cancelled }
                continue
            }
            backoff.reset()
            guard Pause.wait(pollInterval, unless: isCancelled) else { return .cancelled }
        }
        return .cancelled
    }

    private func look(_ queries: String, _ isCancelled: () -> Bool) -> Sight {
        switch connection.send("SELECT count() FROM system.processes WHERE \(queries) FORMAT TabSeparated", isCancelled: isCancelled) {
        case .success(let body):
            guard let count = SQLText.rows(tabSeparated: body).first?.first.flatMap({ Int($0) }) else {
                return .blind("an answer without a number")
            }
            return count == 0 ? .quiet : .running
        case .refused(let refusal): return .blind("\(refusal)")
        case .broken(let error): return .blind("\(error)")
        }
    }

    private func kill(_ queries: String, after time: Duration, _ isCancelled: () -> Bool) {
        trouble.warning("a batch that was given up still runs on the server after \(time): killing it")
        switch connection.send("KILL QUERY WHERE \(queries) ASYNC", isCancelled: isCancelled) {
        case .success: break
        case .refused(let refusal): trouble.trouble(.unknown, "the stuck batch could not be killed: \(refusal)")
        case .broken(let error): trouble.trouble(.unknown, "the stuck batch could not be killed: \(error)")
        }
    }
}
