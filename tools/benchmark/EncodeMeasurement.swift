import ClickHouseSink
import Engine
import Foundation

/// What turning delivered rows into one `Native` block costs, for the rows that the job made of a file.
struct EncodeMeasurement {
    private let encoder: CreatedTableEncoder
    private let batch: SinkBatch
    private let columnCount: Int

    /// nil when the job made no rows for the table.
    init?(_ table: OutputTable, chunks: [OutboxChunk]) {
        let own = chunks.filter { $0.id.table == table.name }
        guard let partition = own.first?.partition else { return nil }
        encoder = CreatedTableEncoder(table, dialect: .modern)
        columnCount = table.columns.count
        // One partition, as the outbox makes batches.
        batch = SinkBatch(
            table: table.name, lineage: .first, number: BatchNumber(1), partition: partition, chunks: own.filter { $0.partition == partition }
        )
    }

    /// Encodes the batch often; prints the CPU time a row of the fastest tenth and of all.
    func run(cpuSeconds: () -> Double) throws {
        let rows = batch.rowCount
        var bytes = 0
        var times: [Double] = []
        for _ in 0..<max(2_000_000 / rows, 10) {
            let start = cpuSeconds()
            bytes = try encoder.encode(batch)
            times.append((cpuSeconds() - start) / Double(rows) * 1e6)
        }
        times.sort()
        let mean = times.reduce(0, +) / Double(times.count)
        print(
            String(
                format: "%-20@ %6.3f µs/row (mean %.3f, %d rows of %d columns, %d bytes a row)", "encode" as NSString, times[times.count / 10], mean, rows,
                columnCount, bytes / rows
            )
        )
    }
}
