import Testing

@testable import Engine

@Suite("Rows: what is written is read back, in chunks of one partition each")
struct RowWriterTests {
    static let table = OutputTable(
        "everything", timeColumn: "at", orderBy: ["name"],
        columns: [
            OutputColumn("name", .text), OutputColumn("count", .count), OutputColumn("number", .number), OutputColumn("flag", .flag),
            OutputColumn("at", .time), OutputColumn("amount", .amount), OutputColumn("sum", .sum), OutputColumn("counts", .textCounts),
            OutputColumn("texts", .texts),
        ])

    private func write(_ writer: RowWriter, at time: Int64, name: String = "n") {
        var counts = TextCounts()
        var texts: [UInt8] = []
        for text in ["x", "y", "x"] {
            text.withBytes { counts.increment($0) }
            texts += [UInt8(text.utf8.count)] + Array(text.utf8)
        }
        writer.begin()
        name.withBytes { writer.text("name", $0) }
        writer.count("count", .max)
        writer.number("number", -0.5)
        writer.flag("flag", true)
        writer.time("at", EventTime(milliseconds: time))
        writer.amount("amount", cents: .min)
        writer.sum("sum", cents: .min)
        writer.textCounts("counts", counts)
        texts.withView { writer.texts("texts", encoded: $0) }
        writer.end()
    }

    private static let task = TaskID(stage: "s", partition: 3)

    @Test func everyTypeOfColumnComesBack() {
        let writer = RowWriter(table: RowWriterTests.table, partitioning: .month)
        write(writer, at: -1)
        let chunks = writer.cut(task: RowWriterTests.task, epoch: Epoch(4))
        #expect(chunks.map(\.partition) == [196_912])
        chunks[0].bytes.withView { bytes in
            var reader = RowReader(bytes)
            #expect(reader.text() == "n" && reader.count() == .max && reader.number() == -0.5 && reader.flag())
            #expect(reader.time().milliseconds == -1 && reader.amount() == .min && reader.sum() == .min)
            var counts: [String: UInt32] = [:]
            #expect(TextCounts.forEach(in: reader.textCounts()) { counts[$0.text] = $1 })
            var texts: [String] = []
            #expect(RowReader.forEachText(in: reader.texts()) { texts.append($0.text) })
            #expect(counts == ["x": 2, "y": 1] && texts == ["x", "y", "x"])
            #expect(reader.isAtEnd && !reader.failed)

            var skipping = RowReader(bytes)
            for column in RowWriterTests.table.columns { skipping.skip(column.type) }
            #expect(skipping.isAtEnd && !skipping.failed)
        }
    }

    @Test func aChunkHoldsRowsOfOnePartitionInTheirOrder() {
        let writer = RowWriter(table: RowWriterTests.table, partitioning: .day)
        for row in 0..<6 { write(writer, at: Int64(row % 2) * 86_400_000, name: "\(row)") }
        #expect(writer.epochRows == 6)
        let chunks = writer.cut(task: RowWriterTests.task, epoch: Epoch(1))
        #expect(chunks.map(\.partition) == [19_700_101, 19_700_102] && chunks.map(\.rowCount) == [3, 3])
        #expect(chunks.map(\.id.sequence) == [0, 1] && Set(chunks.map(\.id.task)) == [RowWriterTests.task])
        #expect(names(chunks[0]) == ["0", "2", "4"] && names(chunks[1]) == ["1", "3", "5"])
        #expect(writer.epochRows == 0 && writer.epochBytes == 0 && writer.cut(task: RowWriterTests.task, epoch: Epoch(2)).isEmpty)
    }

    @Test func aLongEpochIsCutIntoChunksThatBatchesCanTakeWhole() {
        let writer = RowWriter(table: RowWriterTests.table, partitioning: .none)
        for row in 0..<(RowWriter.chunkRows * 2 + 5) { write(writer, at: 0, name: "\(row)") }
        let chunks = writer.cut(task: RowWriterTests.task, epoch: Epoch(1))
        #expect(chunks.map(\.rowCount) == [RowWriter.chunkRows, RowWriter.chunkRows, 5])
        #expect(chunks.map(\.id.sequence) == [0, 1, 2])
        #expect(chunks.flatMap(names) == (0..<(RowWriter.chunkRows * 2 + 5)).map(String.init))
    }

    private func names(_ chunk: OutboxChunk) -> [String] {
        chunk.bytes.withView { bytes in
            var reader = RowReader(bytes)
            var names: [String] = []
            while !reader.isAtEnd {
                names.append(reader.text().text)
                for column in RowWriterTests.table.columns.dropFirst() { reader.skip(column.type) }
            }
            return names
        }
    }
}
