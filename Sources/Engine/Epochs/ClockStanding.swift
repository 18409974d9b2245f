/// Whether what the worker's clock says may decide which records are of the future.
///
/// A clock that is behind would have good records rejected for good, so it is held against what is known otherwise: when records were
/// last read, which the last epoch says, and what the sink's server says the time is. Pure: the edge reads the clocks.
package struct ClockStanding: Sendable {
    /// Why the clock can't be gone by.
    package enum Doubt: Sendable, Equatable {
        /// Records were read later than that.
        case behindLastRead(now: EventTime, read: EventTime)
        /// The server is ahead of it by more than records may be.
        case behindServer(now: EventTime, server: EventTime)
    }

    /// A clock is set back by less than this all the time, by what keeps it right.
    package static let tolerance = EventSpan.seconds(1)

    private let maxAhead: EventSpan
    /// When records were last read, by the clock of then; nil when nobody knows.
    package private(set) var lastRead: EventTime?

    /// `maxAhead`: how far records may be ahead of the clock.
    package init(maxAhead: EventSpan, lastRead: EventTime?) {
        self.maxAhead = maxAhead
        self.lastRead = lastRead
    }

    /// Records are read while the clock, which is not doubted, says this.
    package mutating func reads(at now: EventTime) { lastRead = max(now, lastRead ?? now) }

    /// nil when the clock can be gone by. `server`: what the sink's server says the time is now; nil while it has not said.
    package func doubt(now: EventTime, server: EventTime?) -> Doubt? {
        if let lastRead, now + ClockStanding.tolerance < lastRead { return .behindLastRead(now: now, read: lastRead) }
        if let server, now + maxAhead < server { return .behindServer(now: now, server: server) }
        return nil
    }
}

extension ClockStanding.Doubt: CustomStringConvertible {
    package var description: String {
        let (now, other) =
            switch self {
            case .behindLastRead(let now, let read): (now, "the job read records at \(read.text)")
            case .behindServer(let now, let server): (now, "the sink's server says \(server.text)")
            }
        return "this machine's clock says \(now.text), but \(other): records of the present would look like the future's, so none is read. "
            + "Set the clock; reading goes on by itself. If it is the other one that was wrong, run with time.maxAhead=off once"
    }
}
