import Engine

/// Finds what takes rows out of a table by itself, so that a batch which landed can't be counted.
struct RowRemoval {
    let connection: ClickHouseConnection

    /// The cause, for people; nil when there is none. Throws when the server can't be asked.
    func cause(in table: TableFacts, isCancelled: () -> Bool) throws(SinkError) -> String? {
        let (database, name) = (SQLText.string(table.database), SQLText.string(table.table))
        let place = "database = \(database) AND name = \(name)"
        let statement = try connection.rows("SELECT create_table_query FROM system.tables WHERE \(place)", isCancelled: isCancelled)
        return statement.first?.first.flatMap(RowRemoval.timeToLive).map { "the table's TTL (\($0))" }
    }

    /// What deletes rows in a `CREATE TABLE` as the server writes it; nil when nothing does. A column's own TTL empties values alone,
    /// and an element of the table's may move, recompress or add up instead.
    static func timeToLive(in statement: String) -> String? {
        let words = SQLText.withoutQuoted(statement)
        guard let engine = words.utf8.firstRange(of: " ENGINE = ".utf8),
            let start = words.utf8[engine.upperBound...].firstRange(of: " TTL ".utf8)
        else { return nil }
        let rest = words[start.upperBound...]
        let end = rest.utf8.firstRange(of: " SETTINGS ".utf8)?.lowerBound ?? rest.utf8.firstRange(of: " COMMENT ".utf8)?.lowerBound
        let clause = rest[..<(end ?? rest.endIndex)]
        var depth = 0
        let elements = clause.utf8.split { byte in
            if byte == UInt8(ascii: "(") { depth += 1 }
            if byte == UInt8(ascii: ")") { depth -= 1 }
            return depth == 0 && byte == UInt8(ascii: ",")
        }.map { String(Substring($0)) + " " }
        let deletes = elements.contains { element in
            ![" TO DISK ", " TO VOLUME ", " RECOMPRESS ", " GROUP BY "].contains { element.holds($0) }
        }
        return deletes ? String(clause) : nil
    }
}
