import Engine

/// What a table holds of one batch.
public struct DeliveredBatch: Sendable, Equatable {
    public let lineage: Lineage
    public let batch: BatchNumber
    /// Rows there, repeated ones included.
    public let rows: Int
    /// The smallest and largest `_row` there; a whole batch has 0 and its row count less one.
    public let firstRow: UInt32
    public let lastRow: UInt32
    /// How many different `_row` numbers are there.
    public let distinctRows: Int

    /// Each row once, and none before the last one missing.
    public var isGapless: Bool { firstRow == 0 && distinctRows == rows && rows == Int(lastRow) + 1 }

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
