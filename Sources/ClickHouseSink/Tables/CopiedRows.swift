import Engine

/// Looks whether rows that a state does not count are in the table once more: whatever is deleted must be.
struct CopiedRows {
    let connection: ClickHouseConnection
    let table: TableFacts
    /// The job's name in its rows.
    let task: String

    /// How many of the job's rows meet the condition, and of how many of those an equal row does not meet it, each counted once.
    /// Rows are equal when all their values are but for the columns that name them. Throws when the server can't be asked.
    func count(_ condition: String, _ isCancelled: () -> Bool) throws(SinkError) -> (uncounted: Int, thereAgain: Int) {
        let names = Set(Provenance.columns.map(\.name))
        let values = table.columns.filter { !names.contains($0.name) && $0.defaultKind != "ALIAS" }.map { column in
            // A value and none are told apart: a hash of none would be none.
            let name = SQLText.identifier(column.name)
            return "isNull(\(name)), ifNull(toString(\(name)), '')"
        }
        let row = values.isEmpty ? "0" : "cityHash64(\(values.joined(separator: ", ")))"
        let own = "_task = \(SQLText.string(task))"
        let groups =
            "SELECT countIf(\(condition)) AS apart, countIf(NOT (\(condition))) AS counted FROM \(table.quotedName) "
            + "WHERE \(own) AND \(row) IN (SELECT \(row) FROM \(table.quotedName) WHERE \(condition)) GROUP BY \(row)"
        let answer = try connection.rows(
            "SELECT toString(sum(apart)), toString(sum(if(apart < counted, apart, counted))) FROM (\(groups))", isCancelled: isCancelled)
        guard let sums = answer.first, sums.count == 2, let uncounted = Int(sums[0]), let thereAgain = Int(sums[1]) else {
            throw SinkError(.retry, "ClickHouse answered a comparison of \(table.name)'s rows without numbers")
        }
        return (uncounted, thereAgain)
    }
}
