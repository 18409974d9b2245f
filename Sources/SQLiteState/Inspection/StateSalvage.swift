import CSQLite
import Engine

/// Reads what can be read of a damaged checkpoint into a new state file, and says what is missing.
///
/// SQLite files have no checksums: damage inside a value is not seen here, only pages, rows and deltas that make no sense.
package struct StateSalvage {
    /// What became of a part of the checkpoint.
    package struct Part: Sendable {
        /// A table of the file, the records of one task's state table, or a delta.
        package let name: String
        /// Rows that are in the new file.
        package let rows: Int
        /// What is missing; nil when nothing is.
        package let missing: String?
    }

    private let file: String
    package private(set) var parts: [Part]

    /// Makes `file` of a base. Throws kind `corrupt` when nothing of it can be read, `incompatible` for another format.
    package init(base: String, into file: String) throws {
        self.file = file
        var copy = try SalvageCopy(base: base, into: file)
        try copy.run()
        parts = copy.parts
    }

    /// Applies a delta to what was salvaged so far; false when it is damaged, and with it all that follows it.
    package mutating func apply(_ delta: String, named name: String) throws -> Bool {
        do {
            var assembly = try AssembledFile(path: file, base: file)
            try assembly.apply(delta)
            _ = try assembly.finish()
            parts.append(Part(name: name, rows: 0, missing: nil))
            return true
        } catch let error as StateError where [.corrupt, .invalid, .bug].contains(error.kind) {
            parts.append(Part(name: name, rows: 0, missing: "none of it was applied: \(error)"))
            return false
        }
    }
}

/// A base's rows on their way into a new file.
private struct SalvageCopy {
    private let damaged: Database
    private let target: Database
    private(set) var parts: [StateSalvage.Part] = []

    init(base: String, into file: String) throws {
        damaged = try Database(unchanging: base)
        guard try damaged.integer("PRAGMA application_id") == Database.applicationID else {
            throw StateError(.corrupt, "nothing can be read of \(base): it does not even say that it is a state file of Tidemark's")
        }
        let format = try StateFormat.version(of: damaged)
        guard let create = StateFormat.create(format: format) else {
            throw StateError(
                .incompatible,
                "\(base) has format \(format), and only formats \(DeltaFormat.continued.lowerBound) to \(DeltaFormat.continued.upperBound) can be salvaged"
            )
        }
        try StateFormat.requireShape(of: damaged, file: base)
        target = try Database(path: file, for: .export)
        try target.execute(create)
        try target.execute("PRAGMA user_version = \(format)")
        try target.execute("PRAGMA application_id = \(Database.applicationID)")
    }

    mutating func run() throws {
        let deltaVersion = DeltaFormat.version(continuing: try StateFormat.version(of: target))
        for table in DeltaFormat.wholeTables(version: deltaVersion) + [BatchLedger.name, EpochOffsets.name, CompactionMarks.name] {
            try copyTable(table)
        }
        try copyDeltas()
        try copyRecords()
    }

    private mutating func copyTable(_ table: String) throws {
        let missing = try copy(table, where: "1", order: try keyColumns(of: table))
        parts.append(StateSalvage.Part(name: table, rows: Int(try target.integer("SELECT count(*) FROM \(table)")), missing: missing))
    }

    /// One task's state table after the other, so that a damaged page takes no more with it than its own neighbours.
    private mutating func copyRecords() throws {
        let tables = try StateTableRows(database: target).all()
        for (task, stage, partition) in try TaskTable(target).names() {
            for table in tables where table.stored.stage.text == stage {
                let group = RecordGroup(task: task, table: table.id)
                let missing = try copy(KeyedRows.name, where: KeyedRows.condition(of: group), order: ["key"])
                let rows = try KeyedRows(target).size(of: group).records
                parts.append(
                    StateSalvage.Part(name: "\(stage).\(table.schema.table) in partition \(partition)", rows: rows, missing: missing))
            }
        }
    }

    /// A delta that can't be read whole is left out, since what it says after the damage is lost.
    private mutating func copyDeltas() throws {
        var missing = try copy(DeltaLog.name, where: "1", order: ["sequence"])
        let log = DeltaLog(target)
        let numbers = try log.numbers()
        var unreadable: [Int64] = []
        for number in numbers {
            try log.forEachChanges(of: [number]) { if !StateDelta.forEachChange(in: $0, { _ in }) { unreadable.append(number) } }
        }
        try log.remove(unreadable)
        if !unreadable.isEmpty { missing = (missing.map { $0 + "; " } ?? "") + "\(unreadable.count) whose bytes are damaged" }
        parts.append(StateSalvage.Part(name: DeltaLog.name, rows: numbers.count - unreadable.count, missing: missing))
    }

    private func keyColumns(of table: String) throws -> [String] {
        let column = try Statement(target, "SELECT name FROM pragma_table_info('\(table)') WHERE pk > 0 ORDER BY pk")
        var names: [String] = []
        while try column.step() { names.append(column.text(0)) }
        return names
    }

    /// Copies rows from the beginning until one can't be read, then from the end; what lies between is missing.
    private func copy(_ table: String, where condition: String, order: [String]) throws -> String? {
        let column = try Statement(target, "SELECT name FROM pragma_table_info('\(table)')")
        var columns: [String] = []
        while try column.step() { columns.append(column.text(0)) }
        let names = columns.joined(separator: ", ")
        let marks = Array(repeating: "?", count: columns.count).joined(separator: ", ")
        let insert = try Statement(target, "INSERT OR IGNORE INTO \(table) (\(names)) VALUES (\(marks))")
        guard
            let failure = try copy(
                "SELECT \(names) FROM \(table) WHERE \(condition) ORDER BY \(order.joined(separator: ", "))", columns.count, insert)
        else { return nil }
        let backwards = order.map { "\($0) DESC" }.joined(separator: ", ")
        _ = try copy("SELECT \(names) FROM \(table) WHERE \(condition) ORDER BY \(backwards)", columns.count, insert)
        return "rows between what was read from both ends: \(failure)"
    }

    /// nil when all rows were read. What the new file can't take is thrown.
    private func copy(_ sql: String, _ count: Int, _ insert: Statement) throws -> String? {
        do {
            let row = try Statement(damaged, sql)
            while true {
                guard try row.step() else { return nil }
                let values = (0..<Int32(count)).map(row.value)
                do { try insert.run(all: values) } catch { throw TargetFailure(error: error) }
            }
        } catch let failure as TargetFailure {
            throw failure.error
        } catch let error as StateError where error.kind == .corrupt {
            return error.message
        }
    }

    private struct TargetFailure: Error {
        let error: any Error
    }
}
