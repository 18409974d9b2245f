import Engine
import Foundation
import Logging

/// Holds the worker's clock against what is known otherwise, so that a wrong one rejects nothing: while it is doubted nobody reads.
///
/// `@unchecked Sendable`: the members are constants and monitors.
final class ClockWatch: @unchecked Sendable {
    private struct State {
        var standing: ClockStanding
        /// The doubt that the log was told of; nil while there is none.
        var told: ClockStanding.Doubt?
    }

    /// Between two questions to the server while the clock is behind it.
    private static let askInterval = Duration.seconds(1)

    private let wallClock: @Sendable () -> Int64
    private let sink: any BatchSink
    private let logger: Logger
    /// nil when records of any time are taken.
    private let state: Monitor<State>?
    private let asking = Monitor((isRunning: false, isStopped: false))

    init(_ settings: WorkerSettings, lastReadAt: EventTime?, sink: any BatchSink, logger: Logger) {
        wallClock = settings.wallClock
        self.sink = sink
        self.logger = logger
        state = settings.maxAhead.map { Monitor(State(standing: ClockStanding(maxAhead: $0, lastRead: lastReadAt))) }
    }

    /// What the clock says, for reading by it; nil while it is doubted.
    var reading: EventTime? {
        let now = EventTime(milliseconds: wallClock())
        guard let state else { return now }
        let server = sink.serverTime
        return state.look { state in
            guard state.standing.doubt(now: now, server: server) == nil else { return nil }
            state.standing.reads(at: now)
            return now
        }
    }

    /// When an epoch that is cut now was read, milliseconds since 1970 UTC: what a doubted clock says must not become what the next
    /// start holds its clock against.
    var timeOfCut: Int64 {
        let now = EventTime(milliseconds: wallClock())
        guard let state else { return now.milliseconds }
        let server = sink.serverTime
        return state.look { state in
            let isDoubted = state.standing.doubt(now: now, server: server) != nil
            return (isDoubted ? state.standing.lastRead ?? now : now).milliseconds
        }
    }

    /// Tells the log, once each, that the clock is doubted and that it no longer is; what was told, while it is doubted.
    func tell() -> ClockStanding.Doubt? {
        guard let state else { return nil }
        let (now, server) = (EventTime(milliseconds: wallClock()), sink.serverTime)
        let (doubt, before, told) = state.look { state in
            let (doubt, before) = (state.standing.doubt(now: now, server: server), state.told)
            state.told = doubt == nil ? nil : before ?? doubt
            return (doubt, before, state.told)
        }
        if let told, before == nil { logger.error("reading is held back: \(told)") }
        if told == nil, before != nil { logger.notice("this machine's clock is right again: reading goes on") }
        if case .behindServer? = doubt { ask() }
        return told
    }

    /// A server that was wrong itself may be right by now; it is asked on another thread, because that may take long.
    private func ask() {
        let isFirst = asking.look { asking in
            defer { asking.isRunning = true }
            return !asking.isRunning && !asking.isStopped
        }
        guard isFirst else { return }
        let thread = Thread { [self] in
            sink.askServerTime()
            _ = asking.wait(upTo: ClockWatch.askInterval) { $0.isStopped ? true : nil }
            asking.update { $0.isRunning = false }
        }
        thread.name = "server's clock"
        thread.start()
    }

    /// Asks nothing more, and waits for the question that is under way.
    func stop() {
        asking.update { $0.isStopped = true }
        while asking.wait(upTo: .seconds(1), { $0.isRunning ? nil : true }) == nil {}
    }
}
