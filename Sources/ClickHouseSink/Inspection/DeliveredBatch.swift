import Engine

/// What a table holds of one batch.
package struct DeliveredBatch: Sendable, Equatable {
    package let lineage: Lineage
    package let batch: BatchNumber
    /// Rows there, repeated ones included.
    package let rows: Int
    /// The smallest and largest `_row` there; a whole batch has 0 and its row count less one.
    package let firstRow: UInt32
    package let lastRow: UInt32
    /// How many different `_row` numbers are there.
    package let distinctRows: Int

    /// Each row once, and none before the last one missing.
    package var isGapless: Bool { firstRow == 0 && distinctRows == rows && rows == Int(lastRow) + 1 }

    /// The fields as `DeliveredBatches.columns` asks for them; nil when they are none.
    init?(_ fields: [String]) {
        guard fields.count == 6, let lineage = UInt32(fields[0]), let batch = UInt64(fields[1]), let rows = Int(fields[2]),
            let first = UInt32(fields[3]), let last = UInt32(fields[4]), let distinct = Int(fields[5])
        else { return nil }
        self.lineage = Lineage(lineage)
        self.batch = BatchNumber(batch)
        self.rows = rows
        firstRow = first
        lastRow = last
        distinctRows = distinct
    }
}
