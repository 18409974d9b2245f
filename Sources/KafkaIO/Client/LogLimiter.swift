import Synchronization

/// Lets one message of a kind through in a while and counts the others, so that a broker that is down for hours
/// doesn't fill the disk with its log.
final class LogLimiter: Sendable {
    private struct Kind {
        var openAgain: ContinuousClock.Instant
        var suppressed: Int
    }

    private let interval: Duration
    private let kinds = Mutex<[String: Kind]>([:])

    /// `interval`: the least time between two messages of one kind.
    init(interval: Duration = .seconds(10)) { self.interval = interval }

    /// nil: say nothing now. A number: say it, so many of this kind were left out before it.
    func admit(_ kind: String, at now: ContinuousClock.Instant = .now) -> Int? {
        kinds.withLock { kinds in
            if let known = kinds[kind], now < known.openAgain {
                kinds[kind]?.suppressed += 1
                return nil
            }
            let suppressed = kinds[kind]?.suppressed ?? 0
            kinds[kind] = Kind(openAgain: now + interval, suppressed: 0)
            return suppressed
        }
    }
}
