import Engine
import Synchronization

/// A job that looks everything up: a stream of item names and a reference topic of their colors.
///
/// Stream records are `item`; reference records `item color`, `item` alone (removed), `*` (everything removed) or
/// `-` (ignored); `!` makes every later color of the topic unusable, `#` the reader take 8 MiB; any other is unusable.
enum ColorJob {
    static let table = OutputTable(
        "sightings", timeColumn: "at", orderBy: ["item"],
        columns: [
            OutputColumn("item", .text), OutputColumn("color", .text), OutputColumn("at", .time),
        ])

    static func topology(version: Int = 1, referenceTopic: String = "colors") -> Topology {
        Topology(
            job: "colors", version: 1,
            stages: [
                Stage("items", topic: "items") { setup in
                    setup.decode(with: ItemDecoder()).rejecting(topic: "items")
                        .process(Sightings(colors: setup.reference("colors"), rows: setup.rows(of: table)))
                }
            ],
            references: [Reference("colors", topic: referenceTopic, version: version, record: Color.self) { ColorReader(table: $0) }]
        )
    }
}

struct Color: StateRecord {
    var name = TextField()
    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) { visit.field("name", &name) }
    /// As if there were no such color, by the job's own rule.
    var isSound: Bool { !(name.view == "unsound") }
}

final class ColorReader: ReferenceReader {
    private let table: ReferenceTable
    private var color = Color()
    private(set) var memoryBytes = 0
    private(set) var notes: Set<String> = []

    init(table: ReferenceTable) { self.table = table }

    func recall(_ notes: Set<String>) { self.notes = notes }

    func apply(_ record: SourceRecord) -> ReferenceOutcome {
        let words = record.value.buffer.split(separator: UInt8(ascii: " ")).map {
            ByteView(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: $0)))
        }
        if words.count == 1, words[0] == "-" { return .ignored }
        if words.count == 1, words[0] == "!" { notes.insert("closed") }
        if words.count == 1, words[0] == "#" { memoryBytes = 8 << 20 }
        if words.count == 2, notes.contains("closed") { return .unusable(Rejection("closed")) }
        if words.count == 1, words[0] == "*" {
            table.removeAll()
        } else if words.count == 1 {
            table.remove(words[0])
        } else if words.count == 2 {
            color.name.set(words[1])
            return table.set(words[0], to: &color)
        } else {
            return .unusable(Rejection("malformed"))
        }
        return .applied
    }
}

struct Item: BitwiseCopyable { let name: ByteView }

struct ItemDecoder: EventDecoder {
    func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Item> {
        .event(Item(name: record.value), at: EventTime(milliseconds: 1_000 + record.offset))
    }
}

struct Sightings: KeyedProcessor {
    static let name = "sightings"
    static let version = 1
    let colors: ReferenceTable
    let rows: RowWriter
    var color = Color()

    init(colors: ReferenceTable, rows: RowWriter) {
        self.colors = colors
        self.rows = rows
    }

    struct Seen: StateRecord {
        var count: UInt64 = 0
        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) { visit.field("count", &count) }
    }

    func key(of item: Item) -> ByteView? { item.name }

    mutating func process(_ item: Item, at time: EventTime, key: ByteView, state: inout Keyed<Seen>) {
        state.record.count += 1
        rows.begin()
        rows.text("item", key)
        if colors.find(key, into: &color) { rows.text("color", color.name.view) } else { rows.text("color", "none") }
        rows.time("at", time)
        rows.end()
    }
}

/// A sink in memory: rows as `item color`, in order of delivery.
final class ColorSink: BatchSink {
    private let delivered = Mutex<[String]>([])

    var rows: [String] { delivered.withLock { $0 } }

    func open(_ tables: [SinkTable]) throws -> [String: RowPartitioning] {
        Dictionary(uniqueKeysWithValues: tables.map { ($0.table.name, .month) })
    }

    func deliver(_ batch: SinkBatch, mayHaveBeenSent: Bool, isCancelled: @escaping @Sendable () -> Bool) throws -> DeliveryOutcome {
        guard batch.table == ColorJob.table.name else { return .delivered }
        var rows: [String] = []
        for chunk in batch.chunks {
            chunk.bytes.withUnsafeBytes { bytes in
                var reader = RowReader(ByteView(bytes))
                while !reader.isAtEnd && !reader.failed {
                    rows.append("\(reader.text().text) \(reader.text().text)")
                    _ = reader.time()
                }
            }
        }
        delivered.withLock { $0 += rows }
        return .delivered
    }
}
