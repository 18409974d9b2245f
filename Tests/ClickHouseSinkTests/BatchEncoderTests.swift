import Engine
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("The block of a batch")
struct BatchEncoderTests {
    /// A layout of `Waves.table` with these types.
    private func layout(
        height: String = "Decimal(18, 2)", seenAt: String = "DateTime('UTC')", row: String = "UInt32",
        partitioning: RowPartitioning = .month
    ) -> TableLayout {
        let real = ["String", seenAt, height, "String", "UInt32", "UInt64", row]
        let columns = zip(Waves.table.columns + Provenance.columns, real).map { output, type in
            TableLayout.Column(name: output.name, type: type, encoding: ColumnEncoding(output.type, into: ColumnType(type))!)
        }
        return TableLayout(
            table: Waves.table, facts: TableFacts(database: "d", table: "waves", engine: "MergeTree", partitionKey: "", columns: []),
            columns: columns, partitioning: partitioning, isExactlyOnce: true
        )
    }

    private func block(_ layout: TableLayout, _ batch: SinkBatch, isWanted: ((UInt32) -> Bool)? = nil) throws -> [UInt8] {
        let encoder = BatchEncoder(layout, task: "j/clickhouse")
        return [UInt8](try encoder.encode(batch, isWanted: isWanted))
    }

    @Test func holdsItsColumnsOneAfterTheOther() throws {
        let batch = SinkBatch(Waves.table, number: 7, lineage: 2, chunkRows: 1, rows: [Waves.row("ab"), Waves.row("c", height: -1)])
        var expected = ByteWriter()
        func text(_ text: StaticString) { expected.write(text: ByteView(start: text.utf8Start, count: text.utf8CodeUnitCount)) }
        expected.write(varint: 7)
        expected.write(varint: 2)
        text("name")
        text("String")
        text("ab")
        text("c")
        text("seenAt")
        text("DateTime('UTC')")
        expected.write(fixed: UInt32(1_705_314_030))
        expected.write(fixed: UInt32(1_705_314_030))
        text("height")
        text("Decimal(18, 2)")
        expected.write(fixed: Int64(1234))
        expected.write(fixed: Int64(-1))
        text("_task")
        text("String")
        text("j/clickhouse")
        text("j/clickhouse")
        text("_lineage")
        text("UInt32")
        expected.write(fixed: UInt32(2))
        expected.write(fixed: UInt32(2))
        text("_batch")
        text("UInt64")
        expected.write(fixed: UInt64(7))
        expected.write(fixed: UInt64(7))
        text("_row")
        text("UInt32")
        expected.write(fixed: UInt32(0))
        expected.write(fixed: UInt32(1))
        #expect(try block(layout(), batch) == expected.copy())
    }

    @Test func isTheSameEachTime() throws {
        let encoder = BatchEncoder(layout(), task: "j/clickhouse")
        let first = [UInt8](try encoder.encode(Waves.batch(1)))
        _ = try encoder.encode(Waves.batch(2, ["other"]))
        #expect([UInt8](try encoder.encode(Waves.batch(1))) == first)
    }

    @Test("Promise 4: a row keeps its number when only some are sent")
    func someRowsOnly() throws {
        let one = try block(layout(), Waves.batch(1), isWanted: { $0 == 3 })
        #expect(one.suffix(4) == [3, 0, 0, 0])
        #expect(one[1] == 1)
    }

    @Test(arguments: [
        ("Decimal(9, 2)", Int64(1_000_000_000)), ("Decimal(9, 2)", -1_000_000_000), ("Decimal(18, 17)", 1_000), ("Decimal(38, 37)", 1_000),
    ])
    func aValueBeyondItsColumnIsNamed(type: String, cents: Int64) throws {
        let batch = SinkBatch(Waves.table, number: 1, rows: [Waves.row("a", height: 1), Waves.row("b", height: cents)])
        let shown = Money.text(cents: Int128(cents))
        #expect(throws: EncodingFailure.valueDoesNotFit(column: "height", value: shown)) { try block(layout(height: type), batch) }
    }

    @Test func theGreatestValueOfAColumnFits() throws {
        let batch = SinkBatch(Waves.table, number: 1, rows: [Waves.row("a", height: 999_999_999), Waves.row("b", height: -999_999_999)])
        #expect(try !block(layout(height: "Decimal(9, 2)"), batch).isEmpty)
    }

    @Test(arguments: [
        ("DateTime", Int64(-1)), ("DateTime", 4_294_967_296_000), ("DateTime64(9)", 9_300_000_000_000),
        ("DateTime64(3)", 99_999_999_999_999),
    ])
    func aTimeBeyondItsColumnIsNamed(type: String, time: Int64) throws {
        let batch = SinkBatch(Waves.table, number: 1, rows: [Waves.row("a", at: time)])
        #expect(throws: EncodingFailure.valueDoesNotFit(column: "seenAt", value: "\(time) ms")) { try block(layout(seenAt: type), batch) }
    }

    @Test func aRowNumberBeyondItsColumnIsNamed() throws {
        let batch = SinkBatch(Waves.table, number: 1, rows: (0...256).map { _ in Waves.row("a") })
        #expect(throws: EncodingFailure.valueDoesNotFit(column: "_row", value: "256")) { try block(layout(row: "UInt8"), batch) }
    }

    @Test func rowsOfTwoPartitionsAreRefused() throws {
        let batch = SinkBatch(
            Waves.table, number: 1, rows: [Waves.row("a"), Waves.row("b"), Waves.row("c", at: Waves.time + 31 * 86_400_000)])
        #expect(throws: EncodingFailure.partitionsDiffer(row: 2, first: 202_401, other: 202_402)) { try block(layout(), batch) }
        #expect(try !block(layout(partitioning: .none), batch).isEmpty)
    }

    @Test func damagedBytesAreRefused() throws {
        let whole = Waves.batch(1)
        for cut in [1, 5, 20] {
            let chunks = whole.chunks.map {
                OutboxChunk(
                    id: $0.id, layout: $0.layout, partition: $0.partition, rowCount: $0.rowCount, bytes: [UInt8]($0.bytes.dropLast(cut)))
            }
            let damaged = SinkBatch(
                table: whole.table, lineage: whole.lineage, number: whole.number, layout: whole.layout, partition: whole.partition,
                chunks: chunks)
            let failure = #expect(throws: EncodingFailure.self) { try block(layout(), damaged) }
            guard case .damaged = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
        }
        let longer = whole.chunks.map {
            OutboxChunk(id: $0.id, layout: $0.layout, partition: $0.partition, rowCount: $0.rowCount, bytes: $0.bytes + [0])
        }
        let damaged = SinkBatch(
            table: whole.table, lineage: whole.lineage, number: whole.number, layout: whole.layout, partition: whole.partition,
            chunks: longer)
        #expect(throws: EncodingFailure.damaged(row: 2)) { try block(layout(), damaged) }
    }
}
