import Engine

/// A value of an output row, as a test writes it.
package enum TestValue: Sendable {
    case text(String)
    case count(UInt64)
    case number(Double)
    case flag(Bool)
    /// Milliseconds since 1970.
    case time(Int64)
    /// Cents.
    case amount(Int64)
    /// Cents.
    case sum(Int128)
    case textCounts([(String, UInt32)])
    case texts([String])

    package var type: OutputType {
        switch self {
        case .text: .text
        case .count: .count
        case .number: .number
        case .flag: .flag
        case .time: .time
        case .amount: .amount
        case .sum: .sum
        case .textCounts: .textCounts
        case .texts: .texts
        }
    }

    /// As `OutputType` says.
    package func encode(into writer: inout ByteWriter) {
        switch self {
        case .text(let text): writer.write(utf8: text)
        case .count(let number): writer.write(fixed: number)
        case .number(let number): writer.write(fixed: number.bitPattern)
        case .flag(let flag): writer.write(byte: flag ? 1 : 0)
        case .time(let milliseconds): writer.write(fixed: milliseconds)
        case .amount(let cents): writer.write(fixed: cents)
        case .sum(let cents): writer.write(fixed: cents)
        case .textCounts(let counts):
            var entries = ByteWriter()
            for (name, count) in counts {
                entries.write(utf8: name)
                entries.write(fixed: count)
            }
            writer.write(text: entries.view)
        case .texts(let texts):
            var entries = ByteWriter()
            for text in texts { entries.write(utf8: text) }
            writer.write(text: entries.view)
        }
    }
}

extension ByteWriter {
    fileprivate mutating func write(utf8 text: String) {
        var text = text
        text.withUTF8 { write(text: ByteView(UnsafeRawBufferPointer($0))) }
    }
}

extension SinkBatch {
    /// A batch of these rows, in chunks of `chunkRows`.
    package init(
        _ table: OutputTable, number: UInt64, lineage: UInt32 = 1, partitioning: RowPartitioning = .month, chunkRows: Int = 2,
        rows: [[TestValue]]
    ) {
        var chunks: [OutboxChunk] = []
        var partition: Int32 = 0
        for start in stride(from: 0, to: rows.count, by: chunkRows) {
            var writer = ByteWriter()
            let part = rows[start..<min(start + chunkRows, rows.count)]
            for row in part {
                precondition(row.map(\.type) == table.columns.map(\.type), "a row that is none of \(table.name)")
                for value in row { value.encode(into: &writer) }
            }
            if start == 0, case .time(let time) = rows[0][table.timeColumnIndex] {
                partition = partitioning.partition(of: EventTime(milliseconds: time))
            }
            let task = TaskID(stage: "test", partition: chunks.count)
            let id = ChunkID(table: table.name, task: task, epoch: Epoch(number), sequence: 0)
            chunks.append(OutboxChunk(id: id, layout: table, partition: partition, rowCount: part.count, bytes: writer.take()))
        }
        self.init(
            table: table.name, lineage: Lineage(lineage), number: BatchNumber(number), layout: table, partition: partition, chunks: chunks)
    }
}
