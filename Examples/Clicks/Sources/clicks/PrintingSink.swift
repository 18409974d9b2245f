import Engine

/// Prints rows. It keeps none of a sink's promises: a batch that comes again after a crash is printed again.
final class PrintingSink: BatchSink {
    func open(_ tables: [SinkTable]) -> [String: RowPartitioning] {
        Dictionary(uniqueKeysWithValues: tables.map { ($0.table.name, .none) })
    }

    func deliver(_ batch: SinkBatch, mayHaveBeenSent: Bool, isCancelled: @escaping @Sendable () -> Bool) -> DeliveryOutcome {
        for chunk in batch.chunks where batch.table == clicksTable.name {
            chunk.bytes.withUnsafeBytes { bytes in
                var row = RowReader(ByteView(bytes))
                while !row.isAtEnd { print("\(row.text().text) until \(row.time().milliseconds): \(row.count())") }
            }
        }
        return .delivered
    }
}
