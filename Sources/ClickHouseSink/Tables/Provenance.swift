import Engine

/// The columns that name a row for ever: no two rows of a table share all four.
enum Provenance {
    /// Job and sink, `fintech/clickhouse`.
    static let task = OutputColumn("_task", .text)
    static let lineage = OutputColumn("_lineage", .count)
    static let batch = OutputColumn("_batch", .count)
    /// Counts from 0 within a batch.
    static let row = OutputColumn("_row", .count)

    /// In the order in which they follow a table's own columns.
    static let columns = [task, lineage, batch, row]
}
