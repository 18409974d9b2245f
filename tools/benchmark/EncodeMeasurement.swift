import ClickHouseSink
import Engine
import FintechJob

/// What turning the job's rows into `Native` blocks costs.
struct EncodeMeasurement {
    private let batches: [(encoder: CreatedTableEncoder, batch: SinkBatch)]
    private let records: Int

    /// `records`: how many the rows were made of.
    init(of chunks: [OutboxChunk], records: Int) {
        self.records = records
        var batches: [(CreatedTableEncoder, SinkBatch)] = []
        for table in FintechJob.topology(settings: FintechSettings()).tables {
            let own = chunks.filter { $0.id.table == table.name }
            // One partition a batch, as the outbox makes them.
            for partition in Set(own.map(\.partition)) {
                let batch = SinkBatch(
                    table: table.name, lineage: .first, number: BatchNumber(1), layout: table, partition: partition,
                    chunks: own.filter { $0.partition == partition }
                )
                batches.append((CreatedTableEncoder(table, dialect: .modern), batch))
            }
        }
        self.batches = batches
    }

    func run() throws {
        let rows = batches.reduce(0) { $0 + $1.batch.rowCount }
        let bytes = try Figures.measure("encode", records: records, passes: 20) {
            try batches.reduce(0) { try $0 + $1.encoder.encode($1.batch) }
        }
        print("\(rows) rows of \(bytes / max(rows, 1)) bytes as Native blocks")
    }
}
