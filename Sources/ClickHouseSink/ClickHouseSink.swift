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
        if settings.createTables { try create(wanted.filter(\.isDeclared).map(\.table), connection, dialect) }
        let inspection = TableInspection(connection: connection, dialect: dialect)
        var partitionings: [String: RowPartitioning] = [:]
        for known in wanted {
            guard let facts = try facts(of: known, inspection) else { continue }
            let layout = known.isDeclared ? try inspection.layout(of: known.table, in: facts, known: known.knownLayouts) : nil
            let isExactlyOnce = inspection.doubtOfExactlyOnce(facts, known.table) == nil
            if isExactlyOnce {
                try checkProcessesAreVisible(connection)
                try LedgerCheck(connection: connection).check(known, facts)
            } else {
                log.warning("batches may land more than once in \(facts.name) (engine \(facts.engine), partition key \(facts.partitionKey)), as clickhouse.delivery accepts")
            }
            tellOfWaitingRows(known, facts, inspection)
            let delivery = try TableDelivery(known, facts, isExactlyOnce: isExactlyOnce, settings: settings, dialect: dialect, log: log)
            tables.withLock { $0[known.table.name] = OneThreadDelivery(delivery) }
            if let layout { partitionings[known.table.name] = layout.partitioning }
        }
        log.info("ClickHouse \(dialect.version) at \(settings.url): \(wanted.count == 1 ? "1 table" : "\(wanted.count) tables") can be delivered to")
        return partitionings
    }

    /// The table as it is; nil when nothing can be delivered to it, and nothing has to be.
    private func facts(of known: SinkTable, _ inspection: TableInspection) throws(SinkError) -> TableFacts? {
        if let facts = try inspection.facts(of: known.table.name) { return facts }
        guard !known.isDeclared else { throw inspection.missing(known.table) }
        guard !known.waitingLayouts.isEmpty else { return nil }
        throw SinkError(
            .missing,
            "rows wait for the table \(settings.database).\(known.table.name), which this version of the job does not have, and there is no such table at \(settings.url): create it again to have them delivered; the version of the job that has it does so, or run: \(CreateStatements(database: settings.database, dialect: inspection.dialect).createTable(known.table))"
        )
    }

    /// Says beforehand what will keep rows of another version of the job from being delivered. It is no reason not to start: what
    /// is there already is found out by counting, and after an ALTER the rest follows by itself.
    private func tellOfWaitingRows(_ known: SinkTable, _ facts: TableFacts, _ inspection: TableInspection) {
        for layout in known.waitingLayouts where layout != known.table || !known.isDeclared {
            do throws(SinkError) {
                _ = try inspection.layout(of: layout, in: facts, known: known.knownLayouts + [known.table])
                log.notice("rows that another version of the job wrote wait for \(facts.name); they are delivered as they are")
            } catch {
                log.warning("rows that another version of the job wrote wait for \(facts.name), and it can't take them as it is: \(error.message)")
            }
        }
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
