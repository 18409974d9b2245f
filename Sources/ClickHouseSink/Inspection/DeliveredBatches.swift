import Engine

/// Reads which batches of a job a table holds, so that neither the server nor this process needs memory for the whole table.
struct DeliveredBatches {
    private let connection: ClickHouseConnection
    private let read: CaughtUpRead
    private let quotedName: String
    private let name: String
    private let condition: String

    /// Batches that are listed at a time.
    private static let pageBatches = 100_000
    /// Rows whose numbers the server compares at a time; one batch has less than a million.
    private static let comparedRows = 20_000_000

    private static let columns = "toString(_lineage), toString(_batch), count(), toString(min(_row)), toString(max(_row)), uniqExact(_row)"

    /// A batch's place in the order of lineages and numbers, and its rows.
    private struct Place {
        let lineage: UInt32
        let batch: UInt64
        let rows: Int
    }

    init(_ settings: ClickHouseSettings, table: String, lineage: Lineage?, dialect: ServerDialect, connection: ClickHouseConnection)
        throws(SinkError)
    {
        self.connection = connection
        name = "\(settings.database).\(table)"
        quotedName = SQLText.table(settings.database, table)
        let engines = try connection.rows(
            "SELECT engine FROM system.tables WHERE database = \(SQLText.string(settings.database)) AND name = \(SQLText.string(table))")
        guard let engine = engines.first?.first else {
            throw SinkError(
                .missing, "there is no table \(name) at \(settings.url): is clickhouse.database the one that the job delivers to?")
        }
        read = CaughtUpRead(connection: connection, dialect: dialect, quotedName: quotedName, engine: engine)
        condition = "_task = \(SQLText.string(settings.task))" + (lineage.map { " AND _lineage = \($0)" } ?? "")
    }

    func forEach(_ take: (DeliveredBatch) throws -> Void) throws {
        var last: Place?
        while true {
            let page = try places(after: last)
            for slice in DeliveredBatches.slices(page) { try compare(slice).forEach(take) }
            guard page.count == DeliveredBatches.pageBatches else { return }
            last = page.last
        }
    }

    private func places(after last: Place?) throws(SinkError) -> [Place] {
        let rest = last.map { " AND (_lineage > \($0.lineage) OR (_lineage = \($0.lineage) AND _batch > \($0.batch)))" } ?? ""
        let found = try read.rows(
            "SELECT _lineage, _batch, count() FROM \(quotedName) WHERE \(condition)\(rest) GROUP BY _lineage, _batch ORDER BY _lineage, _batch LIMIT \(DeliveredBatches.pageBatches)",
            isCancelled: { false }
        )
        var places: [Place] = []
        for fields in found {
            guard fields.count == 3, let lineage = UInt32(fields[0]), let batch = UInt64(fields[1]), let rows = Int(fields[2]) else {
                throw unreadable()
            }
            places.append(Place(lineage: lineage, batch: batch, rows: rows))
        }
        return places
    }

    /// Runs of batches of one lineage with no more than `comparedRows` rows, or of one batch.
    private static func slices(_ places: [Place]) -> [ArraySlice<Place>] {
        var slices: [ArraySlice<Place>] = []
        var start = 0
        var rows = 0
        for (index, place) in places.enumerated() {
            if index > start, place.lineage != places[start].lineage || rows + place.rows > comparedRows {
                slices.append(places[start..<index])
                start = index
                rows = 0
            }
            rows += place.rows
        }
        if start < places.count { slices.append(places[start...]) }
        return slices
    }

    private func compare(_ slice: ArraySlice<Place>) throws(SinkError) -> [DeliveredBatch] {
        guard let first = slice.first, let last = slice.last else { return [] }
        let found = try read.rows(
            "SELECT \(DeliveredBatches.columns) FROM \(quotedName) WHERE \(condition) AND _lineage = \(first.lineage) AND _batch >= \(first.batch) AND _batch <= \(last.batch) GROUP BY _lineage, _batch ORDER BY _lineage, _batch",
            isCancelled: { false }
        )
        var batches: [DeliveredBatch] = []
        for fields in found {
            guard let batch = DeliveredBatch(fields) else { throw unreadable() }
            batches.append(batch)
        }
        return batches
    }

    private func unreadable() -> SinkError {
        SinkError(.retry, "ClickHouse at \(connection.settings.url) listed the batches in \(name) without numbers")
    }
}

extension ClickHouseSink {
    /// Gives `take` every batch that a table holds of this job, in the order of lineages and numbers; of one lineage when
    /// it is named. Rows that a running INSERT adds meanwhile may be seen or not. Works on tables that were not opened.
    /// Throws `missing` when there is no such table, `retry` when the server gives no answer, and what `take` throws.
    package func deliveredBatches(of table: OutputTable, lineage: Lineage? = nil, _ take: (DeliveredBatch) throws -> Void) throws {
        let connection = try ClickHouseConnection(settings)
        let dialect = try ServerDialect.detect(connection)
        try DeliveredBatches(settings, table: table.name, lineage: lineage, dialect: dialect, connection: connection).forEach(take)
    }
}
