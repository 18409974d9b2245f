import ArgumentParser
import Engine
import Foundation
import SQLiteState

/// `benchmark migrate`
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "A start that brings a table's records to another version, the way back, and finalizing."
    )

    @Option(help: "How many records the table has.")
    var records = 1_000_000

    func run() throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "tidemark-migrate-\(ProcessInfo.processInfo.processIdentifier)"
        ).path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try MigrationMeasurement(directory: directory, records: records).run()
    }
}

/// A job of one task and one table of records of about 100 bytes, in two versions.
struct MigrationMeasurement {
    let directory: String
    let records: Int

    private static let recordsPerEpoch = 50_000

    func run() throws {
        try fill()
        try measure("start of the same version") { _ = try store().open(MigrationJob.topology(1)) }
        try measure("migration") { _ = try store().open(MigrationJob.topology(2)) }
        try measure("start after it") { _ = try store().open(MigrationJob.topology(2)) }
        try measure("going back") { _ = try store().open(MigrationJob.topology(1)) }
        try measure("migration once more") { _ = try store().open(MigrationJob.topology(2)) }
        try measure("finalizing") { _ = try store().finalize(MigrationJob.topology(2)) }
    }

    private func store() throws -> SQLiteStateStore { try SQLiteStateStore(directory: directory) }

    private func fill() throws {
        let store = try store()
        _ = try store.open(MigrationJob.topology(1))
        for (number, start) in stride(from: 0, to: records, by: MigrationMeasurement.recordsPerEpoch).enumerated() {
            let delta = MigrationJob.delta(start..<min(start + MigrationMeasurement.recordsPerEpoch, records))
            let task = TaskCut(
                task: TaskID(stage: "keys", partition: 0), watermark: .distantPast, position: nil, deltas: [delta], rows: [], sent: [],
                received: []
            )
            try store.commit(EpochCut(epoch: Epoch(UInt64(number + 1)), tasks: [task], frozen: [], delivered: [], wallClock: 0))
            _ = try store.maintain()
        }
    }

    private func measure(_ what: String, _ body: () throws -> Void) throws {
        let processor = Figures.processSeconds
        let start = Date()
        let room = RoomWatch(directory)
        try body()
        let (wall, used) = (Date().timeIntervalSince(start), Figures.processSeconds - processor)
        let most = room.end() >> 20
        let size = (try FileManager.default.attributesOfItem(atPath: directory + "/state.db")[.size] as? Int ?? 0) >> 20
        Figures.show(
            what, perMillion: used / Double(records) * 1e6,
            String(format: "%.3f s, file %d MiB, at most %d MiB more than before", wall, size, most))
    }
}

/// Looks again and again how much a directory's files take.
///
/// `@unchecked Sendable`: the members are behind the lock.
private final class RoomWatch: @unchecked Sendable {
    private let lock = NSLock()
    private var most = 0
    private var isEnded = false
    private let before: Int

    private static let pause = 0.005

    init(_ directory: String) {
        before = RoomWatch.bytes(directory)
        let thread = Thread { [self] in
            while !lock.withLock({ isEnded }) {
                let now = RoomWatch.bytes(directory)
                lock.withLock { most = max(most, now) }
                Thread.sleep(forTimeInterval: RoomWatch.pause)
            }
        }
        thread.start()
    }

    private static func bytes(_ directory: String) -> Int {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return files.reduce(0) { $0 + ((try? FileManager.default.attributesOfItem(atPath: "\(directory)/\($1)")[.size] as? Int) ?? 0) }
    }

    /// How many bytes more than in the beginning there were at most.
    func end() -> Int {
        lock.withLock {
            isEnded = true
            return max(most - before, 0)
        }
    }
}

/// The two versions: a field is added, one renamed, one dropped, one widened.
enum MigrationJob {
    struct Old: StateRecord {
        var count: UInt64 = 0
        var total: UInt64 = 0
        var name = TextField()
        var pages = TextSet()
        var last = EventTime(milliseconds: 0)

        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
            visit.field("count", &count)
            visit.field("total", &total)
            visit.field("name", &name)
            visit.field("pages", &pages)
            visit.field("last", &last)
        }
    }

    struct New: StateRecord {
        var total: Int128 = 0
        var visits: UInt64 = 0
        var name = TextField()
        var last = EventTime(milliseconds: 0)
        var points: Int64 = 0

        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
            visit.field("total", &total)
            visit.field("visits", &visits)
            visit.field("name", &name)
            visit.field("last", &last)
            visit.field("points", &points)
        }
    }

    private struct Nothing: BitwiseCopyable {}

    private struct NothingDecoder: EventDecoder {
        func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Nothing> { .skipped("unused") }
    }

    static func topology(_ version: Int) -> Topology {
        Topology(
            job: "migration", version: version,
            stages: [
                Stage("keys", partitions: 1) { setup in
                    if version == 1 {
                        _ = setup.records("keys", version: 1, of: Old.self)
                    } else {
                        let evolution = StateEvolution.from(1).renaming("count", to: "visits").widening("total", to: .signed128).dropping(
                            "pages"
                        ).adding("points")
                        _ = setup.records("keys", version: 2, of: New.self, evolution: evolution)
                    }
                    return setup.decode(with: NothingDecoder())
                }
            ])
    }

    /// The changes that store these keys' records, as a task would cut them.
    static func delta(_ keys: Range<Int>) -> StateDelta {
        var writer = ByteWriter(capacity: keys.count * 160)
        var record = ByteWriter()
        writer.write(byte: StateDelta.format)
        writer.write(varint: 0)
        writer.write(varint: 0)
        writer.write(varint: UInt64(keys.count))
        for number in keys {
            text("customer-\(number &* 2_654_435_761 % 4_294_967_296)", into: &writer)
            record.removeAll()
            record.write(zigzag: .max)
            record.write(varint: UInt64(number % 1000))
            record.write(varint: UInt64(number) * 77)
            text("somebody with a name of usual length \(number)", into: &record)
            text("\u{8}homepage\u{8}checkout\u{8}products", into: &record)
            record.write(zigzag: 1_700_000_000_000 + Int64(number))
            writer.write(text: record.view)
        }
        return StateDelta(table: "keys", bytes: writer.copy())
    }

    private static func text(_ text: String, into writer: inout ByteWriter) {
        Array(text.utf8).withUnsafeBytes { writer.write(text: ByteView($0)) }
    }
}
