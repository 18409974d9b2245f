import Engine

/// One small job in two versions: what changes between them is all that may change.
///
/// A record's value is `page visitor amount time`. Every event writes a line of its page's record; a page's timer, the
/// windows and two tables of totals write lines too, so that rows show all of the state.
enum VersionedJob {
    static let lines = OutputTable(
        "lines", timeColumn: "at", orderBy: ["at"], columns: [OutputColumn("line", .text), OutputColumn("at", .time)])
    static let job = "visits"
    static let topic = "visits"
    static let window = EventSpan.seconds(10)
    static let timer = EventSpan.seconds(7)

    static func topology(_ version: Int, window: EventSpan = window) -> Topology {
        Topology(
            job: job, version: version,
            stages: [
                Stage("visits", topic: topic) { setup in
                    let lines = Lines(rows: setup.rows(of: lines))
                    let stage = setup.decode(with: VisitDecoder())
                    return version == 1
                        ? stage.process(PagesOne(lines: lines, gone: setup.records("gone", version: 1))).window(
                            window, HoursOne(lines: lines))
                        : stage.process(PagesTwo(lines: lines, fresh: setup.records("fresh", version: 1))).window(
                            window, HoursTwo(lines: lines))
                }
            ])
    }
}

struct Visit: BitwiseCopyable {
    let page: ByteView
    let visitor: ByteView
    let amount: UInt64
}

struct VisitDecoder: EventDecoder {
    func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Visit> {
        let words = record.value.buffer.split(separator: UInt8(ascii: " ")).map {
            ByteView(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: $0)))
        }
        guard words.count == 4, let amount = UInt64(words[2].text), let time = Int64(words[3].text) else {
            return .rejected(Rejection("malformed"))
        }
        return .event(Visit(page: words[0], visitor: words[1], amount: amount), at: EventTime(milliseconds: time))
    }
}

struct Lines {
    let rows: RowWriter

    func write(_ line: String, at time: EventTime) {
        rows.begin()
        Array(line.utf8).withUnsafeBytes { rows.text("line", ByteView($0)) }
        rows.time("at", time)
        rows.end()
    }
}

struct Count: StateRecord {
    var count: UInt64 = 0
    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) { visit.field("count", &count) }
}

// MARK: - Version 1

struct PageOne: StateRecord {
    var count: UInt64 = 0
    var total: UInt64 = 0
    /// Dropped in version 2.
    var first = TextField()
    /// A text in version 2.
    var last: UInt64 = 0

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("count", &count)
        visit.field("total", &total)
        visit.field("first", &first)
        visit.field("last", &last)
    }
}

struct PagesOne: KeyedProcessor {
    static let name = "pages"
    static let version = 1
    let lines: Lines
    /// Removed in version 2.
    let gone: KeyedRecords<Count>

    func key(of visit: Visit) -> ByteView? { visit.page }

    mutating func process(_ visit: Visit, at time: EventTime, key: ByteView, state: inout Keyed<PageOne>) {
        state.record.count += 1
        state.record.total += visit.amount
        if state.record.first.isEmpty { state.record.first.set(visit.visitor) }
        state.record.last = visit.amount
        state.timer = time + VersionedJob.timer
        var ever: UInt64 = 0
        gone.update(visit.visitor) {
            $0.count += 1
            ever = $0.count
        }
        let page = state.record
        lines.write(
            "1 \(key.text) count=\(page.count) total=\(page.total) first=\(page.first.view.text) last=\(page.last) gone=\(ever)", at: time)
    }

    mutating func timerFired(at time: EventTime, key: ByteView, state: inout Keyed<PageOne>) {
        lines.write("1 \(key.text) quiet after \(state.record.count)", at: time)
    }
}

struct HoursOne: WindowedAggregate {
    static let name = "hours"
    static let version = 1
    let lines: Lines

    func key(of visit: Visit) -> ByteView? { visit.page }
    mutating func add(_ visit: Visit, at time: EventTime, to record: inout Count) { record.count += 1 }
    mutating func close(_ window: Window, key: ByteView, record: inout Count) {
        lines.write("1 \(key.text) window \(record.count)", at: window.end)
    }
}

// MARK: - Version 2

struct PageTwo: StateRecord {
    /// What the table's records say of the version before it.
    static let evolution = StateEvolution.from(1)
        .renaming("count", to: "visits")
        .widening("total", to: .signed128)
        .dropping("first")
        .converting(
            "last", { (last: UInt64) in TextField("was \(last)") }, back: { (text: TextField) in UInt64(text.view.text.dropFirst(4)) ?? 0 }
        )
        .adding("points", default: Int64(100))
        .adding("visitors")

    var visitors = TextSet()
    var points: Int64 = -1
    var visits: UInt64 = 0
    var total: Int128 = 0
    var last = TextField("was 0")

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("visitors", &visitors)
        visit.field("points", &points)
        visit.field("visits", &visits)
        visit.field("total", &total)
        visit.field("last", &last)
    }
}

struct PagesTwo: KeyedProcessor {
    static let name = "pages"
    static let version = 2
    static let evolution = PageTwo.evolution
    let lines: Lines
    /// Added in version 2.
    let fresh: KeyedRecords<Count>

    func key(of visit: Visit) -> ByteView? { visit.page }

    mutating func process(_ visit: Visit, at time: EventTime, key: ByteView, state: inout Keyed<PageTwo>) {
        state.record.visits += 1
        state.record.total += Int128(visit.amount)
        state.record.points += 1
        state.record.visitors.insert(visit.visitor)
        let before = state.record.last.view.text
        state.record.last = TextField("was \(visit.amount)")
        state.timer = time + VersionedJob.timer
        var ever: UInt64 = 0
        fresh.update(visit.visitor) {
            $0.count += 1
            ever = $0.count
        }
        let page = state.record
        lines.write(
            "2 \(key.text) visits=\(page.visits) total=\(page.total) points=\(page.points) visitors=\(page.visitors.count) \(before) fresh=\(ever)",
            at: time)
    }

    mutating func timerFired(at time: EventTime, key: ByteView, state: inout Keyed<PageTwo>) {
        lines.write("2 \(key.text) quiet after \(state.record.visits)", at: time)
    }
}

struct HoursTwo: WindowedAggregate {
    static let name = "hours"
    static let version = 2
    static let evolution = StateEvolution.from(1).adding("largest", default: UInt64(1))
    let lines: Lines

    struct Hour: StateRecord {
        var count: UInt64 = 0
        var largest: UInt64 = 0
        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
            visit.field("count", &count)
            visit.field("largest", &largest)
        }
    }

    func key(of visit: Visit) -> ByteView? { visit.page }

    mutating func add(_ visit: Visit, at time: EventTime, to record: inout Hour) {
        record.count += 1
        record.largest = max(record.largest, visit.amount)
    }

    mutating func close(_ window: Window, key: ByteView, record: inout Hour) {
        lines.write("2 \(key.text) window \(record.count) largest \(record.largest)", at: window.end)
    }
}
