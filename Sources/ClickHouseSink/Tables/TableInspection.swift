import Engine

/// Reads what a table really is, and says what keeps it from taking an output table's rows.
struct TableInspection {
    let connection: ClickHouseConnection
    let dialect: ServerDialect

    private var settings: ClickHouseSettings { connection.settings }

    /// The columns that a table really has; none when it is not there.
    func columns(of table: String, isCancelled: () -> Bool = { false }) throws(SinkError) -> [TableFacts.Column] {
        let place = "database = \(SQLText.string(settings.database)) AND table = \(SQLText.string(table))"
        return try connection.rows("SELECT name, type, default_kind FROM system.columns WHERE \(place)", isCancelled: isCancelled)
            .map { TableFacts.Column(name: $0[0], type: $0[1], defaultKind: $0[2]) }
    }

    /// The table of this name as it is; nil when there is none. Throws `retry` when the server can't be asked or when cancelled.
    func facts(of table: String, isCancelled: () -> Bool = { false }) throws(SinkError) -> TableFacts? {
        let place = "database = \(SQLText.string(settings.database)) AND name = \(SQLText.string(table))"
        let rows = try connection.rows("SELECT engine, partition_key FROM system.tables WHERE \(place)", isCancelled: isCancelled)
        guard let row = rows.first, row.count == 2 else { return nil }
        return TableFacts(
            database: settings.database, table: table, engine: row[0], partitionKey: row[1],
            columns: try columns(of: table, isCancelled: isCancelled)
        )
    }

    /// How rows of a layout go into its table. `known`: other layouts whose columns nobody minds. Throws `retry` when the server
    /// can't be asked or when cancelled, `missing` when there is no such table, `invalid` when columns must be altered, and
    /// `incompatible` when no ALTER helps (engine, partition key); the message names everything that is wrong.
    func layout(of table: OutputTable, known: [OutputTable] = [], isCancelled: () -> Bool = { false }) throws(SinkError) -> TableLayout {
        guard let facts = try facts(of: table.name, isCancelled: isCancelled) else { throw missing(table) }
        return try layout(of: table, in: facts, known: known)
    }

    /// As above, of a table that was looked at.
    func layout(of table: OutputTable, in facts: TableFacts, known: [OutputTable]) throws(SinkError) -> TableLayout {
        try inspect(table, in: facts, known: known).layout.get()
    }

    /// What there is to say of a table that was looked at.
    func inspect(_ table: OutputTable, in facts: TableFacts, known: [OutputTable]) -> InspectedTable {
        var problems: [String] = []
        let served = (table.columns + Provenance.columns).compactMap { column(for: $0, among: facts.columns, of: table, &problems) }
        let unfilled = unfilledColumns(facts.columns, table)
        let others = Set(known.flatMap(\.columns).map(\.name))
        problems += unfilled.filter { !others.contains($0.name) }.map { column in
            "the column \(column.name) (\(column.type)) is none that this job fills and has no default; give it one: \(giveDefault(column, table))"
        }
        let notices = unfilled.filter { others.contains($0.name) }.map { column in
            "the column \(column.name) (\(column.type)) of \(facts.name) is another version's of this job and has no default, so that rows of this version hold an empty value there; one can be given: \(giveDefault(column, table))"
        }
        let doubt = doubtOfExactlyOnce(facts, table)
        let isRefused = doubt != nil && settings.delivery == .exactlyOnce
        if let doubt, isRefused { problems.append(doubt) }
        guard problems.isEmpty else {
            let list = problems.map { "  - \($0)" }.joined(separator: "\n")
            let refusal = SinkError(
                isRefused ? .incompatible : .invalid,
                "the table \(settings.database).\(table.name) at \(settings.url) can't take this job's rows:\n\(list)")
            return InspectedTable(layout: .failure(refusal), problems: problems, notices: notices)
        }
        let layout = TableLayout(
            table: table, facts: facts, columns: served,
            partitioning: PartitionKey.partitioning(facts.partitionKey, timeColumn: table.timeColumn) ?? .none, isExactlyOnce: doubt == nil
        )
        return InspectedTable(layout: .success(layout), problems: [], notices: notices)
    }

    func missing(_ table: OutputTable) -> SinkError {
        SinkError(
            .missing,
            "there is no table \(settings.database).\(table.name) at \(settings.url): set clickhouse.createTables to true, or run the statements of `tidemark tables --print`"
        )
    }

    private func alter(_ table: OutputTable, _ change: String) -> String {
        "ALTER TABLE \(SQLText.table(settings.database, table.name)) \(change)"
    }

    private func column(
        for output: OutputColumn, among columns: [TableFacts.Column], of table: OutputTable, _ problems: inout [String]
    ) -> TableLayout.Column? {
        let name = SQLText.identifier(output.name)
        guard let real = columns.first(where: { $0.name == output.name }) else {
            problems.append("the column \(output.name) is missing; add it: \(alter(table, "ADD COLUMN \(name) \(definition(output))"))")
            return nil
        }
        guard real.defaultKind != "MATERIALIZED", real.defaultKind != "ALIAS" else {
            problems.append(
                "the column \(output.name) is \(real.defaultKind), but this job fills it; make it plain: \(alter(table, "MODIFY COLUMN \(name) \(definition(output))"))"
            )
            return nil
        }
        let type = ColumnType(real.type)
        guard dialect.hasLowCardinality || !type.holdsLowCardinality else {
            problems.append(
                "the column \(output.name) is \(real.type), which ClickHouse \(dialect.version) can't take from a client; change it: \(alter(table, "MODIFY COLUMN \(name) \(definition(output))"))"
            )
            return nil
        }
        guard let encoding = ColumnEncoding(output.type, into: type) else {
            problems.append(
                "the column \(output.name) is \(real.type), which can't hold \(meaning(output.type)); change it: \(alter(table, "MODIFY COLUMN \(name) \(definition(output))"))"
            )
            return nil
        }
        return TableLayout.Column(name: real.name, type: real.type, encoding: encoding)
    }

    private func definition(_ output: OutputColumn) -> String {
        CreateStatements(database: settings.database, dialect: dialect).definition(of: output)
    }

    private func meaning(_ type: OutputType) -> String {
        switch type {
        case .text: "texts of any length"
        case .count: "counts"
        case .number: "floating-point numbers"
        case .flag: "true and false"
        case .time: "times"
        case .amount, .sum: "money with two decimals"
        case .textCounts: "counts by name"
        case .texts: "lists of texts"
        }
    }

    /// Columns that would silently get an empty value in each of our rows.
    private func unfilledColumns(_ columns: [TableFacts.Column], _ table: OutputTable) -> [TableFacts.Column] {
        let filled = Set((table.columns + Provenance.columns).map(\.name))
        return columns.filter { !filled.contains($0.name) && $0.defaultKind.isEmpty }
    }

    private func giveDefault(_ column: TableFacts.Column, _ table: OutputTable) -> String {
        alter(table, "MODIFY COLUMN \(SQLText.identifier(column.name)) \(column.type) DEFAULT \(ColumnType(column.type).emptyValue ?? "…")")
    }

    private static let exactEngines: Set<String> = ["MergeTree", "ReplicatedMergeTree", "SharedMergeTree"]

    /// Why batches can't be delivered exactly once into this table; nil when they can.
    func doubtOfExactlyOnce(_ facts: TableFacts, _ table: OutputTable) -> String? {
        let (engine, key, timeType) = (facts.engine, facts.partitionKey, facts.column(table.timeColumn)?.type)
        let wayOut = "use another table, or set clickhouse.delivery to at-least-once, which may deliver a batch twice"
        guard TableInspection.exactEngines.contains(engine) else {
            return
                "its engine is \(engine); rows can be counted, and so delivered exactly once, only in MergeTree, ReplicatedMergeTree and SharedMergeTree: \(wayOut)"
        }
        guard let partitioning = PartitionKey.partitioning(key, timeColumn: table.timeColumn) else {
            return
                "its partition key is \(key); one INSERT is a unit only within one partition, and batches can be cut by toYYYYMM, toYYYYMMDD, toDate or toMonday of \(table.timeColumn) or for no key at all: \(wayOut)"
        }
        guard partitioning != .none, let timeType else { return nil }
        let zone = ColumnType(timeType).timeZone ?? dialect.timeZone
        guard !PartitionKey.isUTC(zone) else { return nil }
        return "its partition key \(key) is in the time zone \(zone), but batches are cut by UTC: \(wayOut)"
    }
}

extension ColumnType {
    /// The zone that a time type names; nil when it names none.
    fileprivate var timeZone: String? {
        switch self {
        case .dateTime(let zone), .dateTime64(_, let zone): zone
        case .nullable(let inner), .lowCardinality(let inner): inner.timeZone
        case .string, .bool, .unsigned, .signed, .float, .decimal, .array, .map, .other: nil
        }
    }
}

/// What a table is on the server, and what somebody should know of it.
struct InspectedTable {
    /// What it can take; or why it can't take the job's rows.
    let layout: Result<TableLayout, SinkError>
    /// What is wrong, each with what to do.
    let problems: [String]
    /// What keeps no row out, each with what can be done.
    let notices: [String]
}

/// A table's partition key, as far as batches can be cut by it.
enum PartitionKey {
    /// The partitioning that `key` means for rows whose time is in `timeColumn`; nil when it is none of the served ones.
    static func partitioning(_ key: String, timeColumn: String) -> RowPartitioning? {
        let plain = key.filter { $0 != " " && $0 != "`" }
        switch plain {
        case "", "tuple()": return RowPartitioning.none
        case "toYYYYMM(\(timeColumn))": return .month
        case "toYYYYMMDD(\(timeColumn))", "toDate(\(timeColumn))": return .day
        case "toMonday(\(timeColumn))": return .week
        default: return nil
        }
    }

    /// Names under which servers know UTC.
    static func isUTC(_ zone: String) -> Bool {
        ["UTC", "Etc/UTC", "UCT", "Etc/UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal", "GMT", "Etc/GMT", "GMT0", "Etc/Greenwich"]
            .contains(zone)
    }
}
