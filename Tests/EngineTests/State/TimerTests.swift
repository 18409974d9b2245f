import Simulation
import Testing

@testable import Engine

@Suite("Timers fire once, in order of time and then of key, when the watermark reaches them")
struct TimerTests {
    struct Count: StateRecord {
        var count: UInt64 = 0
        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) { visit.field("count", &count) }
    }

    /// A keyed state whose timers are set by hand, and what fired.
    private final class Timers {
        private(set) var state: KeyedState<Count>
        var fired: [String] = []
        /// By key: what a fired timer sets next.
        var rearm: [String: Int64] = [:]

        init() { state = Timers.make() }

        private static func make() -> KeyedState<Count> {
            let declaration = StateDeclaration(table: "counts", version: 1, key: .key, hasTimer: true, record: Count.self)
            return KeyedState(declaration, task: TaskID(stage: "stage", partition: 0), cold: NothingEvicted())
        }

        func set(_ key: String, _ time: Int64?) throws {
            try key.withBytes { key in
                try state.update(key) { keyed in
                    keyed.record.count += 1
                    keyed.timer = time.map { EventTime(milliseconds: $0) }
                }
            }
        }

        func remove(_ key: String) throws { try key.withBytes { key in try state.update(key) { $0.isRemoved = true } } }

        func fire(through time: Int64) throws -> [String] {
            fired = []
            try state.fireTimers(through: EventTime(milliseconds: time)) { due, key, keyed in
                #expect(keyed.timer == nil, "the timer is cleared before it fires")
                fired.append("\(key.text) \(due.milliseconds)")
                keyed.timer = rearm.removeValue(forKey: key.text).map { EventTime(milliseconds: $0) }
            }
            return fired
        }

        /// A restart: another table fed with the deltas of this one.
        func restart() throws {
            let restored = Timers.make()
            if let delta = state.cut() {
                try delta.bytes.withView { bytes in
                    let complete = StateDelta.forEachChange(in: bytes) { #expect(restored.restore($0, isCompacted: false)) }
                    try #require(complete)
                }
            }
            state = restored
        }
    }

    @Test func timersFireWhenTheyAreDueAndOnce() throws {
        let timers = Timers()
        try timers.set("b", 20)
        try timers.set("a", 20)
        try timers.set("c", 10)
        #expect(try timers.fire(through: 9) == [])
        #expect(try timers.fire(through: 20) == ["c 10", "a 20", "b 20"])
        #expect(try timers.fire(through: 1_000) == [])
    }

    @Test func aTimerThatMovedFiresAtItsNewTimeAndOnce() throws {
        let timers = Timers()
        try timers.set("later", 10)
        try timers.set("later", 50)
        try timers.set("sooner", 60)
        try timers.set("sooner", 20)
        try timers.set("cleared", 10)
        try timers.set("cleared", nil)
        try timers.set("removed", 10)
        try timers.remove("removed")
        #expect(try timers.fire(through: 45) == ["sooner 20"])
        #expect(try timers.fire(through: 100) == ["later 50"])
    }

    @Test func aTimerThatMovedKeepsTheOrderOfTimes() throws {
        let timers = Timers()
        try timers.set("moved", 10)
        try timers.set("moved", 50)
        try timers.set("other", 20)
        #expect(try timers.fire(through: 100) == ["other 20", "moved 50"])
    }

    @Test func aFiredTimerMaySetTheNextOne() throws {
        let timers = Timers()
        try timers.set("a", 10)
        timers.rearm["a"] = 30
        #expect(try timers.fire(through: 10) == ["a 10"])
        #expect(try timers.fire(through: 29) == [])
        timers.rearm["a"] = 40
        #expect(try timers.fire(through: 50) == ["a 30", "a 40"], "the next one may be due at once")
        #expect(try timers.fire(through: 100) == [])
    }

    @Test func timersSurviveARestart() throws {
        let timers = Timers()
        try timers.set("a", 10)
        try timers.set("a", 40)
        try timers.set("b", 20)
        try timers.set("c", nil)
        try timers.restart()
        #expect(try timers.fire(through: 30) == ["b 20"])
        try timers.restart()
        #expect(try timers.fire(through: 100) == [], "a delta holds what changed; a did not change since")
    }

    @Test func theQueueGivesItsEntriesInOrder() {
        var random = SeededRandom(seed: 7)
        var queue = TimerQueue()
        var expected: [(Int64, String)] = []
        for number in 0..<1_000 {
            let time = Int64.random(in: 0...200, using: &random)
            "k\(number)".withBytes { queue.add(EventTime(milliseconds: time), key: $0) }
            expected.append((time, "k\(number)"))
        }
        expected.sort { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }
        var taken: [(Int64, String)] = []
        for limit in stride(from: Int64(0), through: 200, by: 50) {
            while let entry = queue.take(through: EventTime(milliseconds: limit)) {
                #expect(entry.time.milliseconds <= limit)
                taken.append((entry.time.milliseconds, String(decoding: entry.key, as: UTF8.self)))
            }
        }
        #expect(taken.map(\.1) == expected.map(\.1))
        #expect(queue.next == .distantFuture)
    }

    @Test func movingATimerToAndFroDoesNotPileUp() throws {
        let timers = Timers()
        for round in Int64(0)..<10_000 {
            try timers.set("a", nil)
            try timers.set("a", 1_000_000 + round)
        }
        #expect(timers.state.memoryBytes < 128 * 1024)
        try timers.set("b", 1_000_001)
        #expect(try timers.fire(through: 2_000_000) == ["b 1000001", "a 1009999"])
    }
}
