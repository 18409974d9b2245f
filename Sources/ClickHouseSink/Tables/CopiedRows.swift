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
        let values = table.columns.filter { !names.contains($0.name) && $0.defaultKind != "ALIAS" }.map { "toString(\(SQLText.identifier($0.name)))" }
        let row = values.isEmpty ? "0" : "cityHash64(\(values.joined(separator: ", ")))"
        let groups = "SELECT countIf(\(condition)) AS apart, countIf(NOT (\(condition))) AS counted FROM \(table.quotedName) WHERE _task = \(SQLText.string(task)) GROUP BY \(row)"
        let answer = try connection.rows("SELECT toString(sum(apart)), toString(sum(if(apart < counted, apart, counted))) FROM (\(groups))", isCancelled: isCancelled)
        guard let sums = answer.first, sums.count == 2, let uncounted = Int(sums[0]), let thereAgain = Int(sums[1]) else {
            throw SinkError(.retry, "ClickHouse answered a comparison of \(table.name)'s rows without numbers")
        }
        return (uncounted, thereAgain)
    }
}
