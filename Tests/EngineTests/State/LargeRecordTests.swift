import Simulation
import TestSupport
import Testing

@testable import Engine

@Suite("A record of many names costs as much an event as one of few, and says the same")
struct LargeRecordTests {
    struct Names: StateRecord {
        var events: UInt64 = 0
        var set = TextSet()
        var counts = TextCounts()

        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
            visit.field("events", &events)
            visit.field("set", &set)
            visit.field("counts", &counts)
        }

        mutating func add(_ name: String) {
            events += 1
            name.withBytes { name in
                set.insert(name)
                counts.increment(name)
            }
        }
    }

    /// What a record has to hold.
    private struct Model: Equatable {
        var events: UInt64 = 0
        var counts: [String: UInt32] = [:]

        init() {}

        init(_ record: Names) {
            events = record.events
            TextCounts.forEach(in: record.counts.encodedEntries) { counts[$0.text] = $1 }
        }

        mutating func add(_ name: String) {
            events += 1
            counts[name, default: 0] += 1
        }
    }

    private static let task = TaskID(stage: "s", partition: 0)

    private func windowed() -> WindowedState<Names> {
        WindowedState(
            StateDeclaration(table: "names", version: 1, key: .windowAndKey, span: .minutes(1), record: Names.self), task: Self.task,
            cold: NothingEvicted())
    }

    private func keyed() -> KeyedState<Names> {
        KeyedState(
            StateDeclaration(table: "names", version: 1, key: .key, hasTimer: true, record: Names.self), task: Self.task,
            cold: NothingEvicted())
    }

    /// The records that a delta stores, by key.
    private func stored(_ delta: StateDelta?, isWindowed: Bool) -> [String: Model] {
        var stored: [String: Model] = [:]
        delta?.bytes.withView { bytes in
            _ = StateDelta.forEachChange(in: bytes) { change in
                guard case .stored(let key, let record) = change else { return }
                var names = Names()
                var timer: EventTime?
                let isWhole =
                    isWindowed ? FieldDecoder.decode(record, into: &names) : FieldDecoder.decode(record, timer: &timer, into: &names)
                #expect(isWhole)
                #expect(names.set.count == Model(names).counts.keys.count { $0 != TextCounts.other })
                stored[String(key.text.unicodeScalars.suffix(2))] = Model(names)
            }
        }
        return stored
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func whatIsHeldIsInEachCutAsItIs(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let (windowed, keyed) = (windowed(), keyed())
        let window = Window(start: EventTime(milliseconds: 0), end: EventTime(milliseconds: 60_000))
        let keys = (0..<(seed == 0 ? 90 : 7)).map { "k\($0 % 10)\($0 / 10)" }.map { String($0.suffix(2)) }
        var models: [String: Model] = [:]
        for _ in 0..<12 {
            var touched: Set<String> = []
            for _ in 0..<random.number(in: 1...3_000) {
                let key = keys[random.number(in: 0...(keys.count - 1))]
                let name = "name-\(random.number(in: 0...2_000))"
                touched.insert(key)
                models[key, default: Model()].add(name)
                try key.withBytes { key in
                    try windowed.update(key, in: window) { $0.add(name) }
                    try keyed.update(key) { $0.record.add(name) }
                }
            }
            if random.percent(30) { _ = keyed.release(compactedThrough: 0, evicting: 0) }
            #expect(stored(windowed.cut(), isWindowed: true) == models.filter { touched.contains($0.key) })
            #expect(stored(keyed.cut(), isWindowed: false) == models.filter { touched.contains($0.key) })
        }
        var closed: [String: Model] = [:]
        for key in keys { try key.withBytes { try windowed.update($0, in: window) { $0.add("last") } } }
        try windowed.close(through: window.end) { closed[$1.text] = Model($2) }
        for key in keys { models[key, default: Model()].add("last") }
        #expect(closed == models)
    }

    @Test func aHeldRecordKeepsItsTimerAndCanBeRemoved() throws {
        let state = keyed()
        let key = "aa"
        func update(_ body: (inout Keyed<Names>) -> Void) throws { try key.withBytes { try state.update($0) { body(&$0) } } }
        for number in 0..<1_000 { try update { $0.record.add("name-\(number)") } }
        try update { $0.timer = EventTime(milliseconds: 500) }
        try update { $0.timer = EventTime(milliseconds: 900) }
        var fired: [Int64] = []
        try state.fireTimers(through: EventTime(milliseconds: 600)) { time, _, _ in fired.append(time.milliseconds) }
        #expect(fired == [])
        try state.fireTimers(through: EventTime(milliseconds: 900)) { time, _, keyed in
            fired.append(time.milliseconds)
            #expect(keyed.record.events == 1_000 && keyed.timer == nil)
        }
        #expect(fired == [900])
        try update { $0.isRemoved = true }
        try update {
            #expect($0.record.events == 0)
            $0.record.add("new")
        }
        #expect(stored(state.cut(), isWindowed: false)["aa"]?.counts == ["new": 1])
    }

    @Test func beyondTheBoundNamesCountAsOtherAndThatIsCounted() throws {
        let state = windowed()
        state.namesPerRecord = 1_500
        let window = Window(start: EventTime(milliseconds: 0), end: EventTime(milliseconds: 60_000))
        try "aa".withBytes { key in
            for number in 0..<4_000 { try state.update(key, in: window) { $0.add("n\(number % 2_000)") } }
        }
        let record = try #require(stored(state.cut(), isWindowed: true)["aa"] as Model?)
        #expect(record.events == 4_000 && record.counts.count == 1_501 && record.counts[TextCounts.other] == 1_000)
        #expect(record.counts["n0"] == 2 && record.counts["n1499"] == 2)
        let leftOut = try #require(state.takeNamesLeftOut())
        #expect(leftOut.count == 2_000, "of the set and of the counts, 500 names twice each")
        #expect(leftOut.table == state.schema.table && leftOut.key == Array("aa".utf8))
        #expect(state.takeNamesLeftOut() == nil)
    }

    /// CPU seconds of this thread.
    private func cost(of events: Int) throws -> Double {
        let state = windowed()
        let window = Window(start: EventTime(milliseconds: 0), end: EventTime(milliseconds: 60_000))
        let start = threadSeconds()
        try "house account".withBytes { key in
            for number in 0..<events {
                try state.update(key, in: window) { $0.add("device-\(number)") }
                if number % 5_000 == 0 { _ = state.cut() }
            }
        }
        return threadSeconds() - start
    }

    @Test func eachEventOfAKeyWithANameOfItsOwnCostsTheSame() throws {
        _ = try cost(of: 500)
        let (few, many) = (try cost(of: 4_000), try cost(of: 40_000))
        #expect(many < few * 30, "\(few) s for 4,000 events, \(many) s for ten times as many: quadratic would be a hundredfold")
    }

    /// Under a seed that is known, keys of one hash can be made, as anybody could who knew the seed of a table.
    @Test func keysThatCollideUnderAKnownSeedDoNotCollideInATable() {
        let known = TableSeed(.ofTests, for: "a test")
        // The second word makes the hash before it zero, so that all that follows is the same.
        let keys = (0..<2_000 as Range<UInt64>).map { number in
            let first = foldedProduct(known.start ^ 16 ^ number, known.factor)
            return withUnsafeBytes(of: (number.littleEndian, first.littleEndian)) { Array($0) }
        }
        #expect(Set(keys.map { $0.withView { tableHash($0, seed: known) } }).count == 1)
        #expect(Set(keys.map { $0.withView { tableHash($0, seed: .ofProcess) } }).count == keys.count)
    }
}
