import Engine

/// The table `lineage_end`: the last batch that counts of each earlier lineage, 0 for none.
struct LineageEnds {
    static let name = "lineage_end"
    static let create = """
        CREATE TABLE lineage_end (
            output_table INTEGER NOT NULL, lineage INTEGER NOT NULL, last_batch INTEGER NOT NULL, PRIMARY KEY (output_table, lineage)
        ) WITHOUT ROWID;
        """

    let database: Database

    /// Those of lineages before one, in order of lineages, with the numbers of their tables.
    func all(before lineage: Lineage) throws -> [(table: Int64, end: LineageEnd)] {
        try database.rows(
            "SELECT output_table, lineage, last_batch FROM lineage_end WHERE lineage < ? ORDER BY lineage", .integer(Int64(lineage.number))
        ) { ($0.integer(0), LineageEnd(lineage: try $0.lineage(1), lastBatch: try $0.batch(2))) }
    }

    func set(_ end: LineageEnd, ofTable table: Int64) throws {
        try database.run(
            "INSERT OR REPLACE INTO lineage_end (output_table, lineage, last_batch) VALUES (?, ?, ?)",
            .integer(table), .integer(Int64(end.lineage.number)), .integer(Int64(end.lastBatch?.number ?? 0))
        )
    }
}
