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
