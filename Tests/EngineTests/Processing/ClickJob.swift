import Engine
import TestSupport

/// A small job: clicks per page and minute; a record's value is `page time`, such as `home 61000`.
enum ClickJob {
    static let table = OutputTable(
        "clicks_per_page", timeColumn: "eventTime", orderBy: ["page", "eventTime"],
        columns: [OutputColumn("page", .text), OutputColumn("eventTime", .time), OutputColumn("clicks", .count)]
    )

    static let topology = Topology(
        job: "clicks", version: 1,
        stages: [
            Stage("clicks", topic: "clicks") { setup in
                setup.decode(with: ClickDecoder())
                    .outOfOrderness(.seconds(5))
                    .rejecting(topic: "clicks")
                    .window(.minutes(1), ClicksPerPage(rows: setup.rows(of: table)))
            }
        ])
}

struct Click: BitwiseCopyable {
    let page: ByteView
}

struct ClickDecoder: EventDecoder {
    func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Click> {
        guard !record.value.isNull else { return .skipped("null value") }
        let parts = record.value.buffer.split(separator: UInt8(ascii: " "))
        guard parts.count == 2 else { return .rejected(Rejection("malformed")) }
        guard let time = Int64(String(decoding: parts[1], as: UTF8.self)) else { return .rejected(Rejection("bad_value", field: "time")) }
        let page = ByteView(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: parts[0])))
        return .event(Click(page: page), at: EventTime(milliseconds: time))
    }
}

struct ClicksPerPage: WindowedAggregate {
    static let name = "clicks_per_page"
    static let version = 1
    let rows: RowWriter

    struct Total: StateRecord {
        var clicks: UInt64 = 0
        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
            visit.field("clicks", &clicks)
        }
    }

    func key(of click: Click) -> ByteView? { click.page }

    mutating func add(_ click: Click, at time: EventTime, to total: inout Total) { total.clicks += 1 }

    mutating func close(_ window: Window, key: ByteView, record total: inout Total) {
        rows.begin()
        rows.text("page", key)
        rows.time("eventTime", window.end)
        rows.count("clicks", total.clicks)
        rows.end()
    }
}

/// A task of the click job and what came out of it, for tests.
struct ClickTask {
    let task: any StreamTask
    private(set) var epoch = Epoch(0)
    private var offset: Int64 = 0

    init(_ topology: Topology = ClickJob.topology, cold: any ColdStateReader = NothingEvicted()) {
        let stage = topology.stages[0]
        let environment = TaskEnvironment(partitioning: [:], partitions: [:], cold: cold, hashKey: .ofTests)
        task = stage.build(TaskSetup(task: TaskID(stage: stage.name, partition: 0), environment: environment))
    }

    /// Processes values as consecutive records, by a clock that says `now`.
    mutating func process(_ values: [String], timestamp: EventTime? = nil, at now: EventTime = .distantFuture) throws {
        for value in values {
            try Array(value.utf8).withUnsafeBytes { bytes in
                let record = SourceRecord(offset: offset, timestamp: timestamp, key: .null, value: ByteView(bytes))
                try withUnsafePointer(to: record) { try task.process(UnsafeBufferPointer(start: $0, count: 1), at: now) }
            }
            offset += 1
        }
    }

    mutating func cut() -> TaskCut {
        epoch = epoch.next
        return task.cut(epoch)
    }
}

/// The rows of chunks of the click table as `page end clicks`.
func clickRows(_ chunks: [OutboxChunk]) -> [String] {
    chunks.filter { $0.id.table == ClickJob.table.name }.flatMap { chunk in
        chunk.bytes.withUnsafeBytes { bytes in
            var reader = RowReader(ByteView(bytes))
            var rows: [String] = []
            while !reader.isAtEnd { rows.append("\(reader.text().text) \(reader.time().milliseconds) \(reader.count())") }
            return rows
        }
    }.sorted()
}
