import Engine

/// Writes a state table as a plain SQLite table, its columns as `StoredTable.columns` says.
package final class StateExport {
    private let database: Database

    /// Makes the file `path`, or adds to it; it is complete when `add` has returned for every table, and not synced.
    package init(path: String) throws { database = try Database(path: path, for: .export) }

    /// Returns how many records there were.
    @discardableResult
    package func add(_ table: StoredTable, of reader: StateReader, progress: (Int) -> Void = { _ in }) throws -> Int {
        let columns = table.columns
        let name = table.schema.table.quoted(with: "\"")
        var count = 0
        try database.transaction {
            try database.execute("CREATE TABLE \(name) (\(table.columnDeclarations))")
            let marks = Array(repeating: "?", count: columns.count).joined(separator: ", ")
            let insert = try Statement(database, "INSERT INTO \(name) VALUES (\(marks))")
            let scan = try reader.scan(table)
            while let row = try scan.next() {
                let fields = try row.values()
                try insert.run(
                    all: columns.map { column in
                        switch row.sqlValue(column.content, fields: { fields }) {
                        case .integer(let number): .integer(number)
                        case .text(let text): .text(text)
                        case .null: .null
                        case .real(let number): .text("\(number)")
                        case .blob(let bytes): bytes.withUnsafeBytes { .text(StateText.hex(ByteView($0))) }
                        }
                    })
                count += 1
                progress(count)
            }
        }
        return count
    }
}
