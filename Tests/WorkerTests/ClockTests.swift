import Engine
import Synchronization
import TestSupport
import Testing
import Worker

@Suite("While the worker's clock is behind, nothing is read, and it goes on by itself when the clock is right")
struct ClockTests {
    /// A clock that a test sets.
    private final class WallClock: Sendable {
        private let now: Mutex<Int64>
        init(_ now: Int64) { self.now = Mutex(now) }
        var milliseconds: Int64 { now.withLock { $0 } }
        func set(_ milliseconds: Int64) { now.withLock { $0 = milliseconds } }
    }

    private static let present: Int64 = 1_800_000_000_000
    private static let hour: Int64 = 3_600_000

    private let clock = WallClock(present)
    private let bench: Bench

    init() throws {
        bench = try Bench(.windowed, partitions: 2)
        bench.settings.maxAhead = .hours(1)
        bench.settings.wallClock = { [clock] in clock.milliseconds }
    }

    private static let values = (0..<2).map { Bench.purchases($0, seconds: 0..<40) }
    private static let later = (0..<2).map { Bench.purchases($0, seconds: 40..<60) }

    /// Says what doubt it finds, lets epochs pass without a record read, and then lets `mend` end it.
    private func expectHeld(_ running: RunningWorker, because words: String, _ mend: () -> Void) throws {
        try waitUntil("the clock is doubted") { running.status.clockDoubt != nil }
        // A thread may have asked the clock before, and poll after: not once it has cut an epoch.
        let told = running.status.epoch.number
        try waitUntil("every thread has cut") { running.status.epoch.number > told + 1 }
        let (read, epoch) = (bench.source.readCount, running.status.epoch.number)
        try waitUntil("time passes") { running.status.epoch.number > epoch + 10 }
        #expect(bench.source.readCount == read && running.status.isReadingHeld)
        #expect(running.status.clockDoubt?.contains(words) == true, "\(running.status.clockDoubt ?? "")")
        mend()
        try waitUntil("it goes on") { running.status.clockDoubt == nil && !running.status.isReadingHeld }
    }

    private func finish(_ running: RunningWorker, _ values: [[String]]) throws {
        try waitUntil("all is read") { bench.source.readCount >= values.reduce(0) { $0 + $1.count } }
        running.drain()
        #expect(try running.wait() == .complete)
        try bench.runToEnd()
        bench.expectRows(values)
    }

    @Test func aClockThatIsBehindTheLastEpochAtAStart() throws {
        bench.append(Self.values)
        let first = try bench.start(untilEnd: false)
        try waitUntil("all is read") { first.status.tasks.reduce(0) { $0 + Int($1.position?.next ?? 0) } == Self.values.joined().count }
        first.drain()
        #expect(try first.wait() == .complete)

        clock.set(Self.present - Self.hour / 2)
        bench.append(Self.later)
        let second = try bench.start(untilEnd: false)
        try expectHeld(second, because: "the job read records at 2027-01-15T08:00:00.000Z") { clock.set(Self.present + 5000) }
        try finish(second, zip(Self.values, Self.later).map { $0 + $1 })
    }

    @Test func aClockThatIsSetBackWhileTheJobRuns() throws {
        bench.append(Self.values)
        let running = try bench.start(untilEnd: false)
        try waitUntil("reading has begun") { bench.source.readCount > 0 }
        bench.append(Self.later)
        clock.set(0)
        // The threads look at the clock themselves: not one record is judged by the wrong one.
        try expectHeld(running, because: "1970-01-01T00:00:00.000Z") { clock.set(Self.present + 5000) }
        try finish(running, zip(Self.values, Self.later).map { $0 + $1 })
    }

    @Test func aClockThatIsBehindTheSinksServerUntilItIsRight() throws {
        bench.sink.setServerTime(EventTime(milliseconds: Self.present + Self.hour + 1))
        bench.append(Self.values)
        let running = try bench.start(untilEnd: false)
        try expectHeld(running, because: "the sink's server says 2027-01-15T09:00:00.001Z") { clock.set(Self.present + 1) }
        try finish(running, Self.values)
    }

    @Test func aServerThatWasWrongItselfIsAskedAgain() throws {
        bench.sink.setServerTime(EventTime(milliseconds: Self.present + 2 * Self.hour))
        bench.append(Self.values)
        let running = try bench.start(untilEnd: false)
        try expectHeld(running, because: "the sink's server says") {
            bench.sink.setServerTime(EventTime(milliseconds: Self.present), whenAsked: true)
        }
        try finish(running, Self.values)
    }

    @Test func whoReplaysAFutureIsNotAsked() throws {
        bench.settings.maxAhead = nil
        clock.set(0)
        bench.sink.setServerTime(EventTime(milliseconds: Self.present))
        bench.append(Self.values)
        try finish(try bench.start(untilEnd: false), Self.values)
    }
}
