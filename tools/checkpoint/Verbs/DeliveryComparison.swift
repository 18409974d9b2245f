import ClickHouseSink
import Engine
import SQLiteState

/// What a table in ClickHouse holds beside what a state says of it.
struct DeliveryComparison {
    /// A delivered batch with another number of rows than it had.
    struct Difference {
        let table: String
        let lineage: Lineage
        let batch: BatchNumber
        let expected: Int
        let found: Int
    }

    struct Sum {
        /// Batches that the state knows to be delivered, and the rows that it says they have.
        var batches = 0
        var rows = 0
        var missing = 0
        var surplus = 0
        /// Batches that may or may not have landed.
        var undelivered = 0
        /// Rows of batches that the state has forgotten.
        var forgotten = 0
        /// Rows of batches that came after the state.
        var later = 0
    }

    let table: String
    private(set) var sums: [Lineage: Sum] = [:]
    private(set) var differences: [Difference] = []

    /// `found` in order of lineage and number.
    init(_ reader: StateReader, _ table: String, found: [DeliveredRows.Batch]) throws {
        self.table = table
        sums[reader.facts.lineage] = Sum()
        var rest = found[...]
        var last: [Lineage: BatchNumber] = [:]
        try reader.forEachBatch(of: table) { batch in
            while let first = rest.first, (first.lineage, first.number) < (batch.lineage, batch.number) {
                sums[first.lineage, default: Sum()].forgotten += first.rows
                rest.removeFirst()
            }
            var rows = 0
            if let first = rest.first, first.lineage == batch.lineage, first.number == batch.number {
                rows = first.rows
                rest.removeFirst()
            }
            last[batch.lineage] = batch.number
            judge(batch, rows)
        }
        for batch in rest { noteUnknown(batch, reader, last) }
    }

    private mutating func judge(_ batch: StoredBatch, _ found: Int) {
        guard batch.deliveredEpoch != nil else {
            sums[batch.lineage, default: Sum()].undelivered += 1
            return
        }
        sums[batch.lineage, default: Sum()].batches += 1
        sums[batch.lineage, default: Sum()].rows += batch.rows
        sums[batch.lineage, default: Sum()].missing += max(0, batch.rows - found)
        sums[batch.lineage, default: Sum()].surplus += max(0, found - batch.rows)
        guard found != batch.rows else { return }
        differences.append(Difference(table: table, lineage: batch.lineage, batch: batch.number, expected: batch.rows, found: found))
    }

    /// Behind all that the state remembers: later ones, or of an earlier lineage that it has forgotten altogether.
    private mutating func noteUnknown(_ batch: DeliveredRows.Batch, _ reader: StateReader, _ last: [Lineage: BatchNumber]) {
        let isLater = batch.lineage >= reader.facts.lineage || last[batch.lineage].map { batch.number > $0 } ?? false
        if isLater {
            sums[batch.lineage, default: Sum()].later += batch.rows
        } else {
            sums[batch.lineage, default: Sum()].forgotten += batch.rows
        }
    }
}
