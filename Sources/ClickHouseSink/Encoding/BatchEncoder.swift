import Engine

/// Turns batches of one table into `Native` blocks, in one pass over the rows; `release` gives their memory back.
///
/// The block, as ClickHouse's HTTP interface reads it: the numbers of columns and rows as varints, then a column after
/// the other: name and type as texts with a varint length, then the values of all rows.
final class BatchEncoder {
    /// A batch of this many rows or more could be split by the server, and half of it could land.
    static let rowLimit = 1_000_000

    /// What to read next from a row, and how to write it.
    private struct Step {
        let type: OutputType
        let form: ColumnEncoding.Form
    }

    private let layout: TableLayout
    private let valueCount: Int
    private let columnCount: Int
    private let timeColumn: Int
    /// The values of a row, then the provenance; as plain memory, because an array would count references per value.
    private let steps: UnsafeMutablePointer<Step>
    private let columns: UnsafeMutablePointer<ColumnBuffer>
    private var task = ByteWriter()
    private var json = CountsJSON()
    private var block = ByteWriter(capacity: 64 << 10)
    /// What went wrong in the row being appended.
    private var failure: EncodingFailure?
    private var lastDay = Int64.min
    private var lastPartition: Int32 = 0

    init(_ layout: TableLayout, task: String) {
        self.layout = layout
        valueCount = layout.table.columns.count
        columnCount = layout.columns.count
        timeColumn = layout.table.timeColumnIndex
        steps = .allocate(capacity: columnCount)
        columns = .allocate(capacity: columnCount)
        for (index, column) in (layout.table.columns + Provenance.columns).enumerated() {
            (steps + index).initialize(to: Step(type: column.type, form: layout.columns[index].encoding.form))
            (columns + index).initialize(to: ColumnBuffer())
        }
        for byte in task.utf8 { self.task.write(byte: byte) }
    }

    deinit {
        steps.deallocate()
        columns.deinitialize(count: columnCount)
        columns.deallocate()
    }

    /// The batch as one block, valid until the next call.
    ///
    /// - Parameter isWanted: says of each `_row` whether it is to be in the block; nil takes all.
    func encode(_ batch: SinkBatch, isWanted: ((UInt32) -> Bool)? = nil) throws(EncodingFailure) -> UnsafeRawBufferPointer {
        precondition(batch.rowCount < BatchEncoder.rowLimit, "batch \(batch.number) of \(batch.table) has \(batch.rowCount) rows")
        for index in 0..<columnCount { columns[index].removeAll() }
        failure = nil
        var partition: Int32?
        var row: UInt32 = 0
        var written = 0
        for chunk in batch.chunks {
            chunk.bytes.withUnsafeBytes { bytes in
                var reader = RowReader(ByteView(bytes))
                for _ in 0..<chunk.rowCount where failure == nil {
                    if isWanted?(row) ?? true {
                        appendRow(&reader)
                        appendProvenance(batch, row)
                        checkPartition(&partition, row)
                        written += 1
                    } else {
                        for index in 0..<valueCount { reader.skip(steps[index].type) }
                    }
                    if reader.failed { failure = .damaged(row: row) }
                    row += 1
                }
                if failure == nil, !reader.isAtEnd { failure = .damaged(row: row) }
            }
            if let failure { throw failure }
        }
        return assemble(rowCount: written)
    }

    /// Reads one row and appends it to the columns.
    private func appendRow(_ reader: inout RowReader) {
        for index in 0..<valueCount {
            switch steps[index].type {
            case .text: columns[index].values.write(text: reader.text())
            case .count: append(count: reader.count(), to: index)
            case .number: append(number: reader.number(), to: index)
            case .flag: append(flag: reader.flag(), to: index)
            case .time: append(time: reader.time(), to: index)
            case .amount: append(cents: Int128(reader.amount()), to: index)
            case .sum: append(cents: reader.sum(), to: index)
            case .textCounts: append(counts: reader.textCounts(), to: index)
            case .texts: append(texts: reader.texts(), to: index)
            }
        }
    }

    /// In the order of `Provenance.columns`.
    private func appendProvenance(_ batch: SinkBatch, _ row: UInt32) {
        columns[valueCount].values.write(text: task.view)
        append(count: UInt64(batch.lineage.number), to: valueCount + 1)
        append(count: batch.number.number, to: valueCount + 2)
        append(count: UInt64(row), to: valueCount + 3)
    }

    private func checkPartition(_ partition: inout Int32?, _ row: UInt32) {
        guard let first = partition else {
            partition = lastPartition
            return
        }
        if first != lastPartition, layout.isExactlyOnce, failure == nil {
            failure = .partitionsDiffer(row: row, first: first, other: lastPartition)
        }
    }

    private func doesNotFit(_ index: Int, _ value: String) {
        if failure == nil { failure = .valueDoesNotFit(column: layout.columns[index].name, value: value) }
    }

    private func append(flag: Bool, to index: Int) {
        guard steps[index].form != .flag else { return columns[index].values.write(byte: flag ? 1 : 0) }
        append(count: flag ? 1 : 0, to: index)
    }

    private func append(count: UInt64, to index: Int) {
        switch steps[index].form {
        case .integer(let bytes, let maximum):
            guard count <= maximum else { return doesNotFit(index, String(count)) }
            append(integer: count, bytes: bytes, to: index)
        case .decimal(let bytes, let multiplier, let limit):
            guard append(units: Int128(count), bytes, multiplier, limit, to: index) else { return doesNotFit(index, String(count)) }
        case .float64, .float32:
            guard isExact(count, steps[index].form) else { return doesNotFit(index, String(count)) }
            append(number: Double(count), to: index)
        default: mismatch(index)
        }
    }

    private func isExact(_ count: UInt64, _ form: ColumnEncoding.Form) -> Bool {
        form == .float64 ? UInt64(exactly: Double(count)) == count : UInt64(exactly: Float(count)) == count
    }

    private func append(integer count: UInt64, bytes: Int, to index: Int) {
        switch bytes {
        case 8: columns[index].values.write(fixed: count)
        case 4: columns[index].values.write(fixed: UInt32(truncatingIfNeeded: count))
        case 2: columns[index].values.write(fixed: UInt16(truncatingIfNeeded: count))
        default: columns[index].values.write(byte: UInt8(truncatingIfNeeded: count))
        }
    }

    private func append(number: Double, to index: Int) {
        switch steps[index].form {
        case .float64: columns[index].values.write(fixed: number.bitPattern)
        case .float32: columns[index].values.write(fixed: Float(number).bitPattern)
        default: mismatch(index)
        }
    }

    private func append(time: EventTime, to index: Int) {
        if index == timeColumn { findPartition(of: time) }
        switch steps[index].form {
        case .seconds:
            guard let seconds = UInt32(exactly: time.milliseconds.floorDivided(by: 1000)) else { return doesNotFit(index, "\(time)") }
            columns[index].values.write(fixed: seconds)
        case .ticks(let multiplier, let divisor):
            let (ticks, overflow) = time.milliseconds.floorDivided(by: divisor).multipliedReportingOverflow(by: multiplier)
            guard !overflow, BatchEncoder.dateTime64Range ~= time.milliseconds else { return doesNotFit(index, "\(time)") }
            columns[index].values.write(fixed: ticks)
        default: mismatch(index)
        }
    }

    /// What `DateTime64` can hold and show: 1900 to the end of 2299, in milliseconds.
    private static let dateTime64Range: ClosedRange<Int64> = -2_208_988_800_000...10_413_791_999_999

    private func findPartition(of time: EventTime) {
        let day = time.milliseconds.floorDivided(by: 86_400_000)
        guard day != lastDay else { return }
        lastDay = day
        lastPartition = layout.partitioning.partition(of: time)
    }

    private func append(cents: Int128, to index: Int) {
        guard case .decimal(let bytes, let multiplier, let limit) = steps[index].form else { return mismatch(index) }
        if !append(units: cents, bytes, multiplier, limit, to: index) { doesNotFit(index, Money.text(cents: cents)) }
    }

    /// False when the column can't hold it.
    private func append(units: Int128, _ bytes: Int, _ multiplier: Int128, _ limit: Int128, to index: Int) -> Bool {
        let (value, overflow) = multiplier == 1 ? (units, false) : units.multipliedReportingOverflow(by: multiplier)
        guard !overflow, value < limit, value > -limit else { return false }
        switch bytes {
        case 4: columns[index].values.write(fixed: Int32(truncatingIfNeeded: value))
        case 8: columns[index].values.write(fixed: Int64(truncatingIfNeeded: value))
        default: columns[index].values.write(fixed: value)
        }
        return true
    }

    private func append(counts: ByteView, to index: Int) {
        switch steps[index].form {
        case .countsJSON:
            guard let object = json.object(counts) else {
                failure = .damaged(row: 0)
                return
            }
            columns[index].values.write(text: object)
        case .countsMap(let valueBytes):
            let isWhole = TextCounts.forEach(in: counts) { name, count in
                columns[index].values.write(text: name)
                if valueBytes == 4 {
                    columns[index].counts.write(fixed: count)
                } else {
                    columns[index].counts.write(fixed: UInt64(count))
                }
                columns[index].elements += 1
            }
            if !isWhole { failure = .damaged(row: 0) }
            columns[index].ends.write(fixed: columns[index].elements)
        default: mismatch(index)
        }
    }

    /// The outbox holds texts as a block does, so only their number is to be found out.
    private func append(texts: ByteView, to index: Int) {
        var number: UInt64 = 0
        if !RowReader.forEachText(in: texts, { _ in number += 1 }) { failure = .damaged(row: 0) }
        columns[index].values.write(raw: texts)
        columns[index].elements += number
        columns[index].ends.write(fixed: columns[index].elements)
    }

    /// `ColumnEncoding.init` pairs types and forms, so this is a mistake there.
    private func mismatch(_ index: Int) {
        preconditionFailure("column \(layout.columns[index].name): \(steps[index].type) has no form \(steps[index].form)")
    }

    /// Gives back what the last block took.
    func release() { block.release(keeping: BatchEncoder.keptBytes) }

    /// Bytes of memory that are kept between blocks.
    private static let keptBytes = 64 << 10
    /// More than a column's name and type take in a block.
    private static let columnHeaderBytes = 256

    /// Joins the columns, each of which gives its memory back at once: values are held twice only one column at a time.
    private func assemble(rowCount: Int) -> UnsafeRawBufferPointer {
        block.removeAll()
        block.reserveExactly(
            (0..<columnCount).reduce(32) { sum, index in
                sum + BatchEncoder.columnHeaderBytes
                    + columns[index].byteCount(isNullable: layout.columns[index].encoding.isNullable, rowCount: rowCount)
            })
        block.write(varint: UInt64(columnCount))
        block.write(varint: UInt64(rowCount))
        for index in 0..<columnCount {
            let column = layout.columns[index]
            block.write(text: column.name)
            block.write(text: column.encoding.blockType)
            columns[index].append(to: &block, isNullable: column.encoding.isNullable, rowCount: rowCount)
            columns[index].removeAll()
        }
        return block.view.rawBuffer
    }
}

extension ByteWriter {
    fileprivate mutating func write(text: String) {
        var text = text
        text.withUTF8 { write(text: ByteView(UnsafeRawBufferPointer($0))) }
    }
}

/// Why a batch can't be encoded for its table as it is now.
enum EncodingFailure: Error, Equatable {
    /// A value is beyond what its column can hold; an ALTER of the column mends it.
    case valueDoesNotFit(column: String, value: String)
    /// The batch's rows lie in more than one partition of the table, so that one INSERT would be no unit.
    case partitionsDiffer(row: UInt32, first: Int32, other: Int32)
    /// The batch's bytes are not what its table's declaration says.
    case damaged(row: UInt32)
}

/// Cents as people write them.
enum Money {
    /// `-12.05`
    static func text(cents: Int128) -> String {
        let digits = String(cents.magnitude)
        let padded = String(repeating: "0", count: max(0, 3 - digits.count)) + digits
        return (cents < 0 ? "-" : "") + padded.dropLast(2) + "." + padded.suffix(2)
    }
}
