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
    private let prepared = Mutex<PreparedTables?>(nil)
    private let clock = ServerClock()

    /// `views`: created with the tables. Throws `invalid` when the settings can't be right; asks nobody yet.
    public init(_ settings: ClickHouseSettings, views: [OutputView] = [], log: Logger) throws(SinkError) {
        try settings.validate()
        self.settings = settings
        self.views = views
        self.log = log
    }

    /// After `prepare`, and with a state that goes on, the server is not asked: it may be away by now, as it may while the job
    /// runs. What its tables hold is then compared with the state before the first delivery to each.
    public func open(_ wanted: [SinkTable]) throws -> [String: RowPartitioning] {
        if let prepared = prepared.withLock({ $0 }), prepared.covers(wanted) {
            log.info(
                "ClickHouse \(prepared.dialect.version) at \(settings.url): the tables are gone on with as they were seen; each is looked at again before the first delivery to it"
            )
            return try open(wanted, prepared.tables, prepared.dialect, isCompared: false)
        }
        let connection = try ClickHouseConnection(settings, clock: clock)
        let dialect = try ServerDialect.detect(connection)
        let found = try find(wanted, connection, dialect)
        for known in wanted {
            guard let table = found[known.table.name] else { continue }
            if table.isExactlyOnce { try compare(known, table.facts, connection) }
            tellOfWaitingRows(known, table.facts, TableInspection(connection: connection, dialect: dialect))
        }
        let partitionings = try open(wanted, found, dialect, isCompared: true)
        log.info(
            "ClickHouse \(dialect.version) at \(settings.url): \(wanted.count == 1 ? "1 table" : "\(wanted.count) tables") can be delivered to"
        )
        return partitionings
    }

    /// Throws when what the table holds does not fit the state. A table that the job no longer has, and that nothing waits for, may
    /// have become anybody's: that it can't be asked is told, and no reason not to start.
    private func compare(_ known: SinkTable, _ facts: TableFacts, _ connection: ClickHouseConnection) throws(SinkError) {
        let mismatch: SinkError?
        do throws(SinkError) {
            mismatch = try LedgerCheck(connection: connection).mismatch(known, facts)
        } catch {
            guard !known.isDeclared, known.waitingLayouts.isEmpty, error.kind != .retry else { throw error }
            return log.warning(
                "what \(facts.name), which this version of the job does not have, holds can't be compared with the state: \(error)")
        }
        if let mismatch { throw mismatch }
    }

    private func open(
        _ wanted: [SinkTable], _ found: [String: PreparedTables.Table], _ dialect: ServerDialect, isCompared: Bool
    ) throws -> [String: RowPartitioning] {
        var partitionings: [String: RowPartitioning] = [:]
        for known in wanted {
            guard let table = found[known.table.name] else { continue }
            let delivery = try TableDelivery(
                known, table.facts, isExactlyOnce: table.isExactlyOnce, isCompared: isCompared, settings: settings, dialect: dialect,
                clock: clock,
                log: log
            )
            tables.withLock { $0[known.table.name] = OneThreadDelivery(delivery) }
            partitionings[known.table.name] = table.partitioning
        }
        return partitionings
    }

    /// What a start would find of each table, and whether the user may do what it would; changes nothing. Throws when the server
    /// can't be asked.
    package func look(at wanted: [SinkTable], for intent: StartIntent) throws -> [TableReport] {
        let connection = try ClickHouseConnection(settings, clock: clock)
        let probe = TableProbe(connection: connection, dialect: try ServerDialect.detect(connection))
        return try wanted.compactMap { try probe.report(on: $0, intent) }
    }

    /// Creates what is missing and remembers what the tables are, so that `open` needs no server. Throws what `open` would,
    /// but for what the tables hold.
    package func prepare(_ wanted: [SinkTable]) throws {
        let connection = try ClickHouseConnection(settings, clock: clock)
        let dialect = try ServerDialect.detect(connection)
        let found = try find(wanted, connection, dialect)
        prepared.withLock { $0 = PreparedTables(dialect: dialect, tables: found) }
    }

    /// Creates what is missing and looks at every table, telling what somebody should know of it. A table that is not there and need
    /// not be is left out.
    private func find(_ wanted: [SinkTable], _ connection: ClickHouseConnection, _ dialect: ServerDialect) throws -> [String: PreparedTables
        .Table]
    {
        if settings.createTables { try create(wanted.filter(\.isDeclared).map(\.table), connection, dialect) }
        let probe = TableProbe(connection: connection, dialect: dialect)
        let inspection = probe.inspection
        var found: [String: PreparedTables.Table] = [:]
        for known in wanted {
            guard let facts = try probe.facts(of: known) else { continue }
            let inspected = known.isDeclared ? inspection.inspect(known.table, in: facts, known: known.knownLayouts) : nil
            let layout = try inspected?.layout.get()
            for notice in inspected?.notices ?? [] { log.notice("\(notice)") }
            let isExactlyOnce = inspection.doubtOfExactlyOnce(facts, known.table) == nil
            if isExactlyOnce {
                try probe.requireVisibleProcesses()
            } else if known.isDeclared || !known.waitingLayouts.isEmpty {
                log.warning(
                    "batches may land more than once in \(facts.name) (engine \(facts.engine), partition key \(facts.partitionKey)), as clickhouse.delivery accepts"
                )
            }
            found[known.table.name] = PreparedTables.Table(facts: facts, isExactlyOnce: isExactlyOnce, partitioning: layout?.partitioning)
        }
        return found
    }

    /// Says beforehand what will keep rows of another version of the job from being delivered. It is no reason not to start: what
    /// is there already is found out by counting, and after an ALTER the rest follows by itself.
    private func tellOfWaitingRows(_ known: SinkTable, _ facts: TableFacts, _ inspection: TableInspection) {
        for layout in known.waitingLayouts where layout != known.table || !known.isDeclared {
            do throws(SinkError) {
                _ = try inspection.layout(of: layout, in: facts, known: known.knownLayouts + [known.table])
                log.notice("rows that another version of the job wrote wait for \(facts.name); they are delivered as they are")
            } catch {
                log.warning(
                    "rows that another version of the job wrote wait for \(facts.name), and it can't take them as it is: \(error.message)")
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

    public var serverTime: EventTime? { clock.now }

    public func askServerTime() {
        guard let connection = try? ClickHouseConnection(settings, clock: clock) else { return }
        _ = connection.send("SELECT 1")
    }

    /// Creates the database, the tables and the views that are not there, and says of each what became of it, in this
    /// order. Throws when the server refuses the database or a table; a view that can't be is skipped.
    public func createTables(_ wanted: [OutputTable]) throws -> [CreationOutcome] {
        let connection = try ClickHouseConnection(settings, clock: clock)
        return try create(wanted, connection, try ServerDialect.detect(connection))
    }

    /// The statements that create the tables and views on this server, as `tidemark tables --print` shows them.
    public func createStatements(_ wanted: [OutputTable]) throws -> String {
        let connection = try ClickHouseConnection(settings, clock: clock)
        return try TableCreation(connection: connection, dialect: try ServerDialect.detect(connection)).script(wanted, views)
    }

    /// The views that are not there, by name.
    package func missingViews() throws -> [String] {
        let connection = try ClickHouseConnection(settings, clock: clock)
        let known = try TableCreation(connection: connection, dialect: try ServerDialect.detect(connection)).knownNames()
        return views.map(\.name).filter { !known.contains($0) }
    }

    @discardableResult
    private func create(_ wanted: [OutputTable], _ connection: ClickHouseConnection, _ dialect: ServerDialect) throws(SinkError)
        -> [CreationOutcome]
    {
        let outcomes = try TableCreation(connection: connection, dialect: dialect).create(wanted, views)
        for case (let name, .skipped(let reason)) in outcomes.map({ ($0.name, $0.what) }) {
            log.warning("the view \(settings.database).\(name) is not created: \(reason)")
        }
        return outcomes
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

/// A server and its tables as they were seen, for a start to go on with while that server is away.
struct PreparedTables {
    struct Table {
        let facts: TableFacts
        let isExactlyOnce: Bool
        /// nil for a table that this version of the job does not have.
        let partitioning: RowPartitioning?
    }

    let dialect: ServerDialect
    let tables: [String: Table]

    /// False when there is a table that was not seen and may be needed, or a state that begins: with that nothing could be
    /// compared later, after all had been read.
    func covers(_ wanted: [SinkTable]) -> Bool {
        wanted.allSatisfy { known in
            guard !known.isNewState else { return false }
            return tables[known.table.name] != nil || !known.isDeclared && known.waitingLayouts.isEmpty
        }
    }
}
