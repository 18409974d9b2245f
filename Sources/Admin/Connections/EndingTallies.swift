import Synchronization

/// How many connections were ended before their answer, and why; each reason is told when it begins, and then rarely.
final class EndingTallies: Sendable {
    private struct Tally {
        var count: UInt64 = 0
        var told: ContinuousClock.Instant?
    }

    private let tallies = Mutex<[ConnectionPool.Ending: Tally]>([:])
    private let limits: ConnectionPool.Limits

    /// An attack may last, and the log is not to be its victim.
    private static let toldAgainAfter = Duration.seconds(3600)

    init(_ limits: ConnectionPool.Limits) { self.limits = limits }

    /// Every reason, in the order of their declaration.
    var counts: [(reason: String, count: UInt64)] {
        tallies.withLock { tallies in ConnectionPool.Ending.allCases.map { ($0.rawValue, tallies[$0]?.count ?? 0) } }
    }

    /// Counts an ending; the text for the log when it is time for one.
    func note(_ ending: ConnectionPool.Ending, at now: ContinuousClock.Instant) -> String? {
        let count = tallies.withLock { tallies -> UInt64? in
            tallies[ending, default: Tally()].count += 1
            guard tallies[ending]?.told.map({ now - $0 >= EndingTallies.toldAgainAfter }) ?? true else { return nil }
            tallies[ending]?.told = now
            return tallies[ending]?.count
        }
        return count.map {
            "the status page ends connections: \(words(ending)); \($0) so far, and tidemark_page_connections_ended_total counts on. Page and job go on; see who connects to http.bind"
        }
    }

    private func words(_ ending: ConnectionPool.Ending) -> String {
        switch ending {
        case .full:
            "there were \(limits.connections) at once, and the oldest makes room for a new one, first of those without a whole request"
        case .neighbour:
            "one address had \(limits.perNeighbour) at once, and its oldest makes room for its new one, first of those without a whole request"
        case .slowRequest: "a request was not there whole after \(limits.requestTime)"
        case .slowAnswer: "an answer was not taken within \(limits.answerTime)"
        case .refused: "the server could not take them"
        }
    }
}
