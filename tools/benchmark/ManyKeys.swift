import ArgumentParser
import CheckpointStores
import Engine
import Foundation
import SQLiteState
import Simulation

/// Two checkpoints of a table with many keys in 16 partitions.
final class ManyKeys {
    private static let partitions = 16
    private static let keysInEpoch = 100_000

    private let directory: String
    private let keys: Int
    private let store: SQLiteStateStore
    private let checkpoints: CheckpointStore
    private var epoch = Epoch(0)
    private var newest: Manifest?

    private static let schema = StateSchema(table: "totals", version: 1, key: .key, hasTimer: false, record: Totals.self)

    private struct Totals: StateRecord {
        var count: UInt64 = 0
        var total: Int128 = 0
        var lastAt = EventTime.distantPast
        var name = TextField()
        var countries = TextCounts()

        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
            visit.field("count", &count)
            visit.field("total", &total)
            visit.field("lastAt", &lastAt)
            visit.field("name", &name)
            visit.field("countries", &countries)
        }
    }

    init(directory: String, keys: Int) throws {
        self.directory = directory
        self.keys = keys
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = 8 << 20
        store = try SQLiteStateStore(directory: directory + "/state", settings: settings)
        _ = try store.open(
            Topology(
                job: "many", version: 1,
                stages: [Stage("keys", input: .topic("keys")) { DeclaredTask(id: $0.task, schemas: [ManyKeys.schema]) }]))
        try store.register(partitions: ["keys": ManyKeys.partitions])
        checkpoints = try CheckpointStore.open(location: directory + "/store", job: "many", environment: [:])
    }

    static func key(_ number: Int) -> String { "customer-\(String(number * 7919 % 100_000_007, radix: 36))" }

    func write() throws {
        for first in stride(from: 0, to: keys, by: ManyKeys.keysInEpoch) {
            try commit(Array(first..<min(first + ManyKeys.keysInEpoch, keys)), count: 1)
            _ = try store.maintain()
        }
        try publishBase()
        try commit(Array(stride(from: 0, to: keys, by: 100)), count: 2)
        try publishDelta()
    }

    private func commit(_ numbers: [Int], count: UInt64) throws {
        epoch = epoch.next
        var records = Array(repeating: [(key: String, number: Int)](), count: ManyKeys.partitions)
        for number in numbers {
            let key = ManyKeys.key(number)
            let partition = Array(key.utf8).withUnsafeBytes { murmur2Partition(of: ByteView($0), partitions: ManyKeys.partitions) }
            records[partition].append((key, number))
        }
        let tasks = records.enumerated().map { partition, records in
            TaskCut(
                task: TaskID(stage: "keys", partition: partition), watermark: EventTime(milliseconds: Int64(epoch.number)), position: nil,
                deltas: [ManyKeys.delta(records, count)], rows: [], sent: [], received: []
            )
        }
        try store.commit(EpochCut(epoch: epoch, tasks: tasks, frozen: [], delivered: [], wallClock: Int64(epoch.number)))
    }

    private static func delta(_ records: [(key: String, number: Int)], _ count: UInt64) -> StateDelta {
        var writer = ByteWriter()
        writer.write(byte: StateDelta.format)
        writer.write(varint: 0)
        writer.write(varint: 0)
        writer.write(varint: UInt64(records.count))
        var encoder = FieldEncoder()
        for (key, number) in records {
            var totals = Totals()
            (totals.count, totals.total, totals.lastAt) = (
                count, Int128(number) * 1_000, EventTime(milliseconds: 1_750_000_000_000 + Int64(number))
            )
            write("Customer number \(number) of this measurement") { totals.name.set($0) }
            for country in ["DE", "FR", "GB", "US", "JP", "BR"].prefix(number % 6 + 1) { write(country) { totals.countries.increment($0) } }
            write(key) { writer.write(text: $0) }
            writer.write(text: encoder.encode(&totals))
        }
        return StateDelta(table: schema.table, bytes: writer.copy())
    }

    private static func write(_ text: String, _ body: (ByteView) -> Void) {
        Array(text.utf8).withUnsafeBytes { body(ByteView($0)) }
    }

    private func publishBase() throws {
        let file = directory + "/base.db"
        try store.keepChanges(after: epoch)
        try store.beginBase(at: file)
        var facts: CheckpointFacts?
        while facts == nil { facts = try store.stepBase() }
        try publish(facts!, retained: [], NewObject(kind: .base, file: file, epoch: epoch))
    }

    private func publishDelta() throws {
        guard let base = newest, let facts = try store.writeDelta(after: base.epoch, at: directory + "/delta.db") else {
            throw ValidationError("the changes after the base are not kept")
        }
        try publish(facts, retained: base.objects, NewObject(kind: .delta(after: base.epoch), file: directory + "/delta.db", epoch: epoch))
    }

    private func publish(_ facts: CheckpointFacts, retained: [ManifestObject], _ file: NewObject) throws {
        newest = try checkpoints.publish(
            ManifestDraft(
                facts, after: newest?.link, retaining: retained, writer: "benchmark", createdAt: Int64(epoch.number), reason: .interval
            ), files: [file])
    }

    /// Puts the newest checkpoint together, as the tool does when it opens one.
    func assemble(into file: String) throws {
        guard let newest else { return }
        let parts = directory + "/parts"
        try FileManager.default.createDirectory(atPath: parts, withIntermediateDirectories: false)
        let fetched = try checkpoints.fetch(newest, into: parts)
        try StateAssembly.assemble(base: fetched.base, deltas: fetched.deltas, into: file)
    }
}
