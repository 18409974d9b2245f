import Engine

/// Where a batch's rows are found in its table.
struct BatchRows {
    /// An SQL condition that holds for the batch's rows and no others.
    let condition: String

    init(_ batch: SinkBatch, task: String, in table: TableFacts) {
        let name = "_task = \(SQLText.string(task)) AND _lineage = \(batch.lineage) AND _batch = \(batch.number)"
        guard table.isTime(batch.layout.timeColumn), let range = BatchRows.seconds(of: batch) else {
            condition = name
            return
        }
        let time = SQLText.identifier(batch.layout.timeColumn)
        condition = "\(name) AND \(time) >= toDateTime(\(range.lowerBound)) AND \(time) <= toDateTime(\(range.upperBound))"
    }

    /// The whole seconds around all of the batch's times, which let the server skip other partitions whatever its key;
    /// nil when a `DateTime` can't name them.
    private static func seconds(of batch: SinkBatch) -> ClosedRange<Int64>? {
        let table = batch.layout
        var (first, last) = (Int64.max, Int64.min)
        for chunk in batch.chunks {
            chunk.bytes.withUnsafeBytes { bytes in
                var reader = RowReader(ByteView(bytes))
                for _ in 0..<chunk.rowCount where !reader.failed {
                    for (index, column) in table.columns.enumerated() {
                        guard index == table.timeColumnIndex else {
                            reader.skip(column.type)
                            continue
                        }
                        let time = reader.time().milliseconds
                        first = min(first, time)
                        last = max(last, time)
                    }
                }
            }
        }
        guard first <= last, first >= 0, last < (Int64(UInt32.max) - 1) * 1000 else { return nil }
        return first / 1000...last / 1000 + 1
    }
}
