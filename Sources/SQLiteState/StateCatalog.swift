import Engine
import Foundation

/// The small numbers that stand for tasks, state tables and output tables in the state file's rows.
final class StateCatalog {
    private(set) var tasks: [TaskID: Int64] = [:]
    private(set) var taskIDs: [Int64: TaskID] = [:]
    private(set) var outputs: [String: Int64] = [:]
    private(set) var outputNames: [Int64: String] = [:]
    /// By stage, then table name.
    private(set) var stateTables: [StageName: [String: (id: Int64, schema: StateSchema)]] = [:]
    private let database: Database

    init(_ database: Database) throws {
        self.database = database
        let task = try Statement(database, "SELECT id, stage, partition FROM task")
        while try task.step() {
            remember(TaskID(stage: StageName(task.text(1)), partition: Int(task.integer(2))), task.integer(0))
        }
        let output = try Statement(database, "SELECT id, name FROM output_table")
        while try output.step() { remember(output.text(1), output.integer(0)) }
        let state = try Statement(database, "SELECT id, stage, name, version, key_kind, has_timer, fields FROM state_table")
        while try state.step() {
            guard let kind = StateKeyKind(rawValue: state.text(4)), let fields = StateCatalog.fields(fromJSON: state.text(6)) else {
                throw StateError(.incompatible, "state table \(state.text(2)) in \(database.path) has a key or fields that this version does not know; use the version that wrote it, or a newer one")
            }
            let schema = StateSchema(
                table: state.text(2), version: Int(state.integer(3)), key: kind, hasTimer: state.integer(5) != 0, fields: fields
            )
            stateTables[StageName(state.text(1)), default: [:]][schema.table] = (state.integer(0), schema)
        }
    }

    private func remember(_ task: TaskID, _ id: Int64) {
        tasks[task] = id
        taskIDs[id] = task
    }

    private func remember(_ output: String, _ id: Int64) {
        outputs[output] = id
        outputNames[id] = output
    }

    /// Makes sure that the topology's state and output tables are known, unchanged where they were known already.
    /// Must run inside a transaction.
    func declare(_ topology: Topology) throws {
        let tables = topology.outboxTables.map(\.name)
        for table in tables where outputs[table] == nil {
            try Statement(database, "INSERT INTO output_table (name) VALUES (?)").run(.text(table))
            remember(table, try lastID())
        }
        try refuseUndeliveredRows(notIn: Set(tables))
        for stage in topology.stages {
            let schemas = stage.blueprint.schemas
            for schema in schemas { try declare(schema, in: stage.name) }
            for known in stateTables[stage.name, default: [:]].keys where !schemas.contains(where: { $0.table == known }) {
                throw StateError(.incompatible, "the state holds table \(known) of stage \(stage.name), which this version of the job does not have; start the version that has it, or start with an empty state directory")
            }
        }
        for stage in stateTables.keys where !topology.stages.contains(where: { $0.name == stage }) {
            throw StateError(.incompatible, "the state holds stage \(stage), which this version of the job does not have; start the version that has it, or start with an empty state directory")
        }
    }

    /// Rows of a table that nothing writes any more would wait for ever, and a drain with them.
    private func refuseUndeliveredRows(notIn tables: Set<String>) throws {
        for (name, id) in outputs where !tables.contains(name) {
            let waiting = try Statement(database, "SELECT 1 FROM outbox WHERE output_table = ? LIMIT 1")
            try waiting.bind(.integer(id))
            guard try waiting.step() else { continue }
            waiting.reset()
            if let sink = OutboxTable.sink(ofName: name) {
                throw StateError(.incompatible, "rows wait to be delivered to the output \(sink) (\(name)), but it is switched off now: switch it on again and stop the job with SIGTERM once it delivers, so that it drains; then switch it off")
            }
            throw StateError(.incompatible, "rows of table \(name) wait to be delivered, but this version of the job does not have that table; start the version that has it and let it drain, then this one")
        }
    }

    private func declare(_ schema: StateSchema, in stage: StageName) throws {
        guard let known = stateTables[stage]?[schema.table] else {
            try Statement(database, "INSERT INTO state_table (stage, name, version, key_kind, has_timer, fields) VALUES (?, ?, ?, ?, ?, ?)").run(
                .text(stage.text), .text(schema.table), .integer(Int64(schema.version)), .text(schema.key.rawValue),
                .integer(schema.hasTimer ? 1 : 0), .text(StateCatalog.json(schema.fields))
            )
            stateTables[stage, default: [:]][schema.table] = (try lastID(), schema)
            return
        }
        guard known.schema == schema else {
            throw StateError(.incompatible, "state table \(schema.table) of stage \(stage) is stored in version \(known.schema.version) with other fields than this job's version \(schema.version); start the version of the job that wrote it, or start with an empty state directory")
        }
    }

    /// The number of a task, given to it when it is first seen. Must run inside a transaction.
    func id(of task: TaskID) throws -> Int64 {
        if let id = tasks[task] { return id }
        try Statement(database, "INSERT INTO task (stage, partition) VALUES (?, ?)").run(.text(task.stage.text), .integer(Int64(task.partition)))
        let id = try lastID()
        remember(task, id)
        return id
    }

    /// Forgets what a transaction that was rolled back had added.
    func forgetTasks(notIn known: [TaskID: Int64]) {
        tasks = known
        taskIDs = Dictionary(uniqueKeysWithValues: known.map { ($1, $0) })
    }

    private func lastID() throws -> Int64 {
        let statement = try Statement(database, "SELECT last_insert_rowid()")
        _ = try statement.step()
        return statement.integer(0)
    }

    private struct Field: Codable {
        let name: String
        let type: String
    }

    static func json(_ fields: [StateField]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // Encoding two strings a field can't fail.
        let data = try! encoder.encode(fields.map { Field(name: $0.name, type: $0.type.rawValue) })
        return String(decoding: data, as: UTF8.self)
    }

    private static func fields(fromJSON text: String) -> [StateField]? {
        guard let fields = try? JSONDecoder().decode([Field].self, from: Data(text.utf8)) else { return nil }
        let known = fields.compactMap { field in StateFieldType(rawValue: field.type).map { StateField(name: field.name, type: $0) } }
        return known.count == fields.count ? known : nil
    }
}
