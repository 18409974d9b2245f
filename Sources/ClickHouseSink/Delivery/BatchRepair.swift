import CurlHTTP
import Engine
import Logging

/// The operator's way out for a batch whose rows ClickHouse has in part: looks which are there, and sends the others.
///
/// To be used while no worker of the job runs.
package final class BatchRepair {
    private let settings: ClickHouseSettings
    private let dialect: ServerDialect
    private let connection: ClickHouseConnection
    private let layout: TableLayout
    private let rowCount: RowCount
    private let quietWait: QuietWait

    /// How often missing rows are sent before giving up.
    private static let attempts = 5

    /// `table`: as the batch's rows were written for it. `known`: other layouts whose columns nobody minds. Throws when the
    /// server can't be asked or the table can't take the rows.
    package init(_ settings: ClickHouseSettings, table: OutputTable, known: [OutputTable] = [], log: Logger) throws {
        try settings.validate()
        self.settings = settings
        connection = try ClickHouseConnection(settings)
        dialect = try ServerDialect.detect(connection)
        layout = try TableInspection(connection: connection, dialect: dialect).layout(of: table, known: known)
        rowCount = RowCount(connection: connection, dialect: dialect)
        let status = TableStatusBox(table: table.name)
        let trouble = TroubleLog(log, table: table.name, status: status, interval: settings.logInterval)
        quietWait = QuietWait(connection: connection, trouble: trouble)
    }

    /// Which of the batch's rows are in the table, once no attempt to send it runs any more.
    /// Throws when the server can't be asked, or `retry` when cancelled.
    package func find(_ batch: SinkBatch, isCancelled: () -> Bool = { false }) throws -> BatchFindings {
        let name = BatchName(settings, batch)
        let queries = "query_id IN (\(SQLText.string(name.queryID)), \(SQLText.string(name.resendQueryID)))"
        guard quietWait.wait(for: queries, isCancelled: isCancelled) else {
            throw SinkError(.retry, "cancelled before it was known what is in \(layout.name)")
        }
        return BatchFindings(expected: batch.rowCount, rows: try rowCount.rows(batch, in: layout.facts, isCancelled: isCancelled))
    }

    /// Sends the rows that are missing and no others, then looks again; returns what was found at first.
    /// Throws `invalid` when the table holds rows that can't be the batch's, or when some are still missing in the end.
    package func resendMissing(_ batch: SinkBatch, isCancelled: () -> Bool = { false }) throws -> BatchFindings {
        let before = try find(batch, isCancelled: isCancelled)
        var found = before
        for _ in 0..<BatchRepair.attempts {
            guard found.surplus.isEmpty else { throw surplus(batch, found) }
            if found.missing.isEmpty { return before }
            try send(batch, missing: Set(found.missing), isCancelled)
            found = try find(batch, isCancelled: isCancelled)
        }
        guard found.missing.isEmpty, found.surplus.isEmpty else {
            throw SinkError(
                .invalid,
                "batch \(batch.number) of \(layout.name): \(found.missing.count) of \(found.expected) rows are still missing after \(BatchRepair.attempts) attempts; does something delete them (a TTL, a mutation)?"
            )
        }
        return before
    }

    /// What comes of it is found out by looking again, whatever the answer is, unless the server refuses by reason.
    private func send(_ batch: SinkBatch, missing: Set<UInt32>, _ isCancelled: () -> Bool) throws {
        let encoder = BatchEncoder(layout, task: settings.task)
        let body: UnsafeRawBufferPointer
        do {
            body = try encoder.encode(batch) { missing.contains($0) }
        } catch {
            throw SinkError(.invalid, "batch \(batch.number) of \(layout.name) can't be encoded for the table as it is", cause: error)
        }
        let parameters = InsertParameters(settings: settings, dialect: dialect).resend(BatchName(settings, batch))
        let answer = withExtendedLifetime(encoder) {
            connection.insert(layout.insertStatement, parameters: parameters, body: body, isCancelled: isCancelled)
        }
        if case .refused(let refusal) = answer, refusal.code != nil, refusal.code != ServerRefusal.queryIsRunning {
            throw SinkError(.invalid, "the missing rows of batch \(batch.number) of \(layout.name) were refused: \(refusal)")
        }
        if case .broken(let error) = answer, error.kind == .invalidRequest || error.kind == .cancelled {
            throw SinkError(.retry, "the missing rows of batch \(batch.number) of \(layout.name) were not sent", cause: error)
        }
    }

    private func surplus(_ batch: SinkBatch, _ found: BatchFindings) -> SinkError {
        SinkError(
            .invalid,
            "batch \(batch.number) of \(layout.name): \(found.surplus.count) row numbers are there twice or are none of the batch's (the first: \(found.surplus[0])), so sending more can't mend it. Delete the batch's rows (ALTER TABLE \(layout.quotedName) DELETE WHERE _task = \(SQLText.string(settings.task)) AND _lineage = \(batch.lineage) AND _batch = \(batch.number)), wait for the mutation, and resolve it again"
        )
    }
}

/// What of a batch is in its table.
package struct BatchFindings: Sendable, Equatable {
    /// Rows that the batch has.
    package let expected: Int
    /// Rows that the table has of it, repeated ones included.
    package let found: Int
    /// The `_row` numbers that are not there, ascending.
    package let missing: [UInt32]
    /// The `_row` numbers that are there more than once or are none of the batch's, ascending.
    package let surplus: [UInt32]

    init(expected: Int, rows: [UInt32: Int]) {
        self.expected = expected
        found = rows.values.reduce(0, +)
        missing = (0..<UInt32(expected)).filter { rows[$0] == nil }
        surplus = rows.filter { $0.value > 1 || $0.key >= UInt32(expected) }.keys.sorted()
    }
}
