/// A statement that is prepared when it is first run, and kept.
final class KeptStatement {
    private unowned let database: Database
    private let sql: String
    private var prepared: Statement?

    init(_ database: Database, _ sql: String) {
        self.database = database
        self.sql = sql
    }

    func run(_ values: Statement.Value...) throws { try statement().run(all: values) }

    /// With values bound, for a query to step through; whoever does resets it after that.
    func bound(_ values: Statement.Value...) throws -> Statement {
        let statement = try statement()
        try statement.bind(all: values)
        return statement
    }

    private func statement() throws -> Statement {
        if let prepared { return prepared }
        let statement = try Statement(database, sql)
        prepared = statement
        return statement
    }
}
