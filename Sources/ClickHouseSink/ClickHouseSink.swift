import Engine
import Logging
import Synchronization

/// Delivers a job's rows to the tables of one ClickHouse server, each row exactly once.
///
/// `open` once, then `deliver` from one thread a table; `status` from anywhere.
public final class ClickHouseSink: BatchSink {
    public let settings: ClickHouseSettings
    private let views: [OutputView]
    let log: Logger
    private let tables = Mutex<[String: OneThreadDelivery]>([:])

    /// `views`: created with the tables. Throws `invalid` when the settings can't be right; asks nobody yet.
    public init(_ settings: ClickHouseSettings, views: [OutputView] = [], log: Logger) throws(SinkError) {
        try settings.validate()
        self.settings = settings
        self.views = views
        self.log = log
    }

    public func open(_ wanted: [SinkTable]) throws -> [String: RowPartitioning] {
        let connection = try ClickHouseConnection(settings)
        let dialect = try ServerDialect.detect(connection)
        if settings.createTables { try create(wanted.map(\.table), connection, dialect) }
        let inspection = TableInspection(connection: connection, dialect: dialect)
        var partitionings: [String: RowPartitioning] = [:]
        for known in wanted {
            let layout = try inspection.layout(of: known.table)
            if layout.isExactlyOnce {
                try checkProcessesAreVisible(connection)
                try LedgerCheck(connection: connection).check(known, layout)
            } else {
                log.warning("batches may land more than once in \(layout.name) (engine \(layout.engine), partition key \(layout.partitionKey)), as clickhouse.delivery accepts")
            }
            let delivery = try TableDelivery(layout, stateIdentity: known.stateIdentity, settings: settings, dialect: dialect, log: log)
            tables.withLock { $0[known.table.name] = OneThreadDelivery(delivery) }
            partitionings[known.table.name] = layout.partitioning
        }
        log.info("ClickHouse \(dialect.version) at \(settings.url): \(wanted.count == 1 ? "1 table" : "\(wanted.count) tables") can be delivered to")
        return partitionings
    }

    public func deliver(
        _ batch: SinkBatch, mayHaveBeenSent: Bool, isCancelled: @escaping @Sendable () -> Bool
    ) throws -> DeliveryOutcome {
        guard let table = tables.withLock({ $0[batch.table] }) else {
            throw SinkError(.bug, "a batch for the table \(batch.table), which was not opened")
        }
        return try table.deliver(batch, mayHaveBeenSent: mayHaveBeenSent, isCancelled: isCancelled)
    }

    /// How each table's delivery stands, by name.
    public var status: [TableStatus] {
        let boxes = tables.withLock { $0.values.map(\.status) }
        return boxes.map(\.current).sorted { $0.table < $1.table }
    }

    /// Creates the database, the tables and the views that are not there, and says of each what became of it, in this
    /// order. Throws when the server refuses the database or a table; a view that can't be is skipped.
    public func createTables(_ wanted: [OutputTable]) throws -> [CreationOutcome] {
        let connection = try ClickHouseConnection(settings)
        return try create(wanted, connection, try ServerDialect.detect(connection))
    }

    /// The statements that create the tables and views on this server, as `tidemark tables --print` shows them.
    public func createStatements(_ wanted: [OutputTable]) throws -> String {
        let connection = try ClickHouseConnection(settings)
        return try TableCreation(connection: connection, dialect: try ServerDialect.detect(connection)).script(wanted, views)
    }

    /// The views that are not there, by name.
    public func missingViews() throws -> [String] {
        let connection = try ClickHouseConnection(settings)
        let known = try TableCreation(connection: connection, dialect: try ServerDialect.detect(connection)).knownNames()
        return views.map(\.name).filter { !known.contains($0) }
    }

    @discardableResult
    private func create(_ wanted: [OutputTable], _ connection: ClickHouseConnection, _ dialect: ServerDialect) throws(SinkError) -> [CreationOutcome] {
        let outcomes = try TableCreation(connection: connection, dialect: dialect).create(wanted, views)
        for case let (name, .skipped(reason)) in outcomes.map({ ($0.name, $0.what) }) {
            log.warning("the view \(settings.database).\(name) is not created: \(reason)")
        }
        return outcomes
    }

    /// Without this view no unanswered batch could ever be settled.
    private func checkProcessesAreVisible(_ connection: ClickHouseConnection) throws(SinkError) {
        do {
            _ = try connection.rows("SELECT count() FROM system.processes WHERE query_id = ''")
        } catch {
            guard error.kind != .retry else { throw error }
            throw SinkError(.invalid, "the user \(settings.user) can't read system.processes, which is needed to deliver exactly once; GRANT SELECT ON system.processes, and KILL QUERY", cause: error)
        }
    }
}

/// A table's delivery, handed from thread to thread.
///
/// `@unchecked Sendable`: the delivery is used only inside `deliver`, by one thread at a time, and a second thread traps.
private final class OneThreadDelivery: @unchecked Sendable {
    private let delivery: TableDelivery
    private let isBusy = Atomic(false)
    let status: TableStatusBox

    init(_ delivery: TableDelivery) {
        self.delivery = delivery
        status = delivery.status
    }

    func deliver(_ batch: SinkBatch, mayHaveBeenSent: Bool, isCancelled: () -> Bool) throws(SinkError) -> DeliveryOutcome {
        let wasBusy = isBusy.exchange(true, ordering: .acquiringAndReleasing)
        precondition(!wasBusy, "two batches of \(batch.table) at a time")
        defer { isBusy.store(false, ordering: .releasing) }
        return try delivery.deliver(batch, mayHaveBeenSent: mayHaveBeenSent, isCancelled: isCancelled)
    }
}
