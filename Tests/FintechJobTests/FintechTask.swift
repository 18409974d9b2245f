import Engine
import FintechJob
import TestSupport

/// A task of a stage that reads a topic, with its reference tables, which a test may change in between.
final class FintechTask {
    private let topology: Topology
    private let references: [String: ReferenceTable]
    private let readers: [String: any ReferenceReader]
    private let task: any StreamTask
    private let stage: StageName
    private var offset: Int64 = 0
    private var epoch = Epoch(0)
    /// Everything that was cut from the state, in order.
    private(set) var deltas: [StateDelta] = []
    private var chunks: [OutboxChunk] = []

    init(_ settings: FintechSettings = FintechSettings.ofInserts, stage name: StageName = "transactions") {
        stage = name
        topology = FintechJob.topology(settings: settings)
        references = Dictionary(uniqueKeysWithValues: topology.references.map { ($0.name, ReferenceTable(name: $0.name)) })
        var readers: [String: any ReferenceReader] = [:]
        for reference in topology.references { readers[reference.name] = reference.makeReader(references[reference.name]!) }
        self.readers = readers
        let built = topology.stages.first { $0.name == name }!
        let environment = TaskEnvironment(
            partitioning: [:], partitions: [:], cold: NothingEvicted(), hashKey: .ofTests, references: references)
        task = built.build(TaskSetup(task: TaskID(stage: built.name, partition: 0), environment: environment))
    }

    /// A task that goes on where `before` was cut last, with empty reference tables. `without`: state tables of which it gets nothing.
    convenience init(after before: FintechTask, _ settings: FintechSettings = FintechSettings.ofInserts, without left: Set<String> = [])
        throws
    {
        self.init(settings, stage: before.stage)
        for delta in before.deltas where !left.contains(delta.table) {
            guard let table = task.stateTables.first(where: { $0.schema.table == delta.table }) else { throw Damage() }
            let isWhole = try delta.bytes.withUnsafeBytes { bytes in
                try StateDelta.forEachChange(in: ByteView(bytes)) { change in
                    guard table.restore(change, isCompacted: false) else { throw Damage() }
                }
            }
            guard isWhole else { throw Damage() }
        }
        try task.resume(at: before.task.watermark, position: nil)
        deltas = before.deltas
        epoch = before.epoch
    }

    private struct Damage: Error {}

    /// Of all its state tables.
    var schemas: [StateSchema] { task.stateTables.map(\.schema) }

    /// Puts a record into a state table, in the window at 1970 of a table with windows, as a restore does. False when the table
    /// itself refuses it.
    func store(_ record: [UInt8], for key: String, in schema: StateSchema) -> Bool {
        let stored = (schema.key == .windowAndKey ? [0x80, 0, 0, 0, 0, 0, 0, 0] : []) + Array(key.utf8)
        let table = task.stateTables.first { $0.schema.table == schema.table }!
        return stored.withUnsafeBytes { key in
            record.withUnsafeBytes { table.restore(.stored(key: ByteView(key), record: ByteView($0)), isCompacted: false) }
        }
    }

    /// Applies one record to a reference table.
    @discardableResult
    func apply(_ reference: String, _ value: String, key: String = "") -> ReferenceOutcome {
        let (keyBytes, valueBytes) = (Array(key.utf8), Array(value.utf8))
        return keyBytes.withUnsafeBytes { key in
            valueBytes.withUnsafeBytes { value in
                let source = SourceRecord(offset: 0, timestamp: nil, key: keyBytes.isEmpty ? .null : ByteView(key), value: ByteView(value))
                return readers[reference]!.apply(source)
            }
        }
    }

    /// How many keys a reference table holds.
    func count(of reference: String) -> Int { references[reference]!.count }

    /// In milliseconds; nil before the first record.
    var watermark: Int64? { task.watermark == .distantPast ? nil : task.watermark.milliseconds }
    var counters: TaskCounters { task.counters }

    func process(_ records: String..., timestamp: EventTime? = nil, at now: EventTime = .distantFuture) throws {
        try withRecords(records.map { Array($0.utf8) }, firstOffset: offset, timestamp: timestamp) { try task.process($0, at: now) }
        offset += Int64(records.count)
    }

    func raiseWatermark(to milliseconds: Int64, firingTimers: Bool = true) throws {
        try task.raiseWatermark(to: EventTime(milliseconds: milliseconds), firingTimers: firingTimers)
    }

    @discardableResult
    func cut() -> TaskCut {
        epoch = epoch.next
        let cut = task.cut(epoch)
        deltas += cut.deltas
        chunks += cut.rows
        return cut
    }

    /// All rows of a table so far; cuts.
    func rows(of name: String) throws -> [GoldenRow] {
        cut()
        return try GoldenRow.rows(of: topology.tables.first { $0.name == name }!, in: chunks)
    }

    /// The lifecycle's events so far, in order; cuts.
    func lifecycle() throws -> [String] {
        try rows(of: "customer_lifecycle_analytics").map { row in
            guard case .text(let event) = row.columns["eventType"], case .number(let time) = row.columns["eventTime"] else { return "?" }
            return "\(event) \(Int64(time))"
        }
    }
}
