import Engine

/// Finds what takes rows out of a table by itself, or out of this user's sight, so that a batch which landed can't be counted.
struct RowRemoval {
    let connection: ClickHouseConnection

    /// The cause, for people; nil when there is none. Throws when the server can't be asked.
    func cause(in table: TableFacts, isCancelled: () -> Bool) throws(SinkError) -> String? {
        let (database, name) = (SQLText.string(table.database), SQLText.string(table.table))
        let place = "database = \(database) AND name = \(name)"
        let statement = try connection.rows("SELECT create_table_query FROM system.tables WHERE \(place)", isCancelled: isCancelled)
        if let clause = statement.first?.first.flatMap(RowRemoval.timeToLive) { return "the table's TTL (\(clause))" }
        // 18.16 knows no row policies in SQL.
        let policies = "SELECT count() FROM system.tables WHERE database = 'system' AND name = 'row_policies'"
        guard try connection.rows(policies, isCancelled: isCancelled) != [["0"]] else { return nil }
        do {
            let found = try connection.rows(
                "SELECT short_name FROM system.row_policies WHERE database = \(database) AND table IN (\(name), '')",
                isCancelled: isCancelled)
            return found.first?.first.map { "the row policy \($0)" }
        } catch {
            // Who may not look at policies, or whose server has others, is told of a batch that lacks rows as without one.
            guard error.kind == .retry else { return nil }
            throw error
        }
    }

    /// What deletes rows in a `CREATE TABLE` as the server writes it; nil when nothing does. A column's own TTL empties values alone,
    /// and an element of the table's may move or recompress instead.
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
        let deletes = elements.contains { element in ![" TO DISK ", " TO VOLUME ", " RECOMPRESS "].contains { element.holds($0) } }
        return deletes ? String(clause) : nil
    }
}
