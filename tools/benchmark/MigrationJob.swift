import ArgumentParser
import Engine
import Foundation
import SQLiteState

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
