import Engine

/// The small numbers that stand for tasks, state tables, output tables and layouts in the state file's rows.
final class StateCatalog {
    private(set) var tasks: [TaskID: Int64] = [:]
    private(set) var taskIDs: [Int64: TaskID] = [:]
    private(set) var outputs: [String: Int64] = [:]
    private(set) var outputNames: [Int64: String] = [:]
    private(set) var layouts: OutputLayouts
    private(set) var messageLayouts: MessageLayouts
    /// Every stored state table, whatever its role.
    private(set) var stored: [CatalogTable] = []
    /// The current ones, by stage, then table name.
    private(set) var stateTables: [StageName: [String: CatalogTable]] = [:]
    /// What is written beside a current table, by the current one's number.
    private var fallbacks: [Int64: Fallback] = [:]
    let database: Database

    init(_ database: Database) throws {
        self.database = database
        layouts = try OutputLayouts(database)
        messageLayouts = try MessageLayouts(database)
        let task = try Statement(database, "SELECT id, stage, partition FROM task")
        while try task.step() {
            let id = TaskID(stage: StageName(task.text(1)), partition: try task.partition(2))
            guard tasks[id] == nil, taskIDs[try task.rowNumber(0)] == nil else { throw database.damaged("task \(id) is there twice") }
            remember(id, try task.rowNumber(0))
        }
        for (id, name) in try database.outputTables() {
            guard outputs[name] == nil else { throw database.damaged("output table \(name) is there twice") }
            remember(name, id)
        }
        try readStateTables()
    }

    /// Reads the state tables anew, after they were changed.
    func readStateTables() throws {
        stored = try CatalogTable.all(in: database)
        stateTables = [:]
        for table in stored where table.stored.role == .current {
            stateTables[table.stored.stage, default: [:]][table.schema.table] = table
        }
    }

    /// From now on what is written to a current table is also written to `fallback`.
    func write(_ fallback: Fallback, beside table: CatalogTable) { fallbacks[table.id] = fallback }

    func fallback(of table: CatalogTable) -> Fallback? { fallbacks[table.id] }

    private func remember(_ task: TaskID, _ id: Int64) {
        tasks[task] = id
        taskIDs[id] = task
    }

    private func remember(_ output: String, _ id: Int64) {
        outputs[output] = id
        outputNames[id] = output
    }

    /// Makes sure that the topology's output tables are known, with their layouts and those of its messages, and that nothing
    /// waits for what it does not have. Must run inside a transaction.
    func declareOutputs(of topology: Topology) throws {
        try layouts.declare(topology.tables, version: topology.version, in: database)
        try messageLayouts.declare(topology.messageLayouts, version: topology.version, in: database)
        try findUnknownLayouts(of: topology)
        let tables = topology.outboxTables.map(\.name)
        for table in tables where outputs[table] == nil {
            try Statement(database, "INSERT INTO output_table (name) VALUES (?)").run(.text(table))
            remember(table, try lastID())
        }
        try refuseUndeliveredRows(ofSinksNotIn: topology)
        try refuseMessages(notTo: Set(topology.stages.map(\.name)))
        try refuseUnreadableMessages()
    }

    /// Batches for a stage that there is no more would be lost.
    private func refuseMessages(notTo stages: Set<StageName>) throws {
        let waiting = try Statement(database, "SELECT DISTINCT receiver FROM message")
        while try waiting.step() {
            guard let receiver = taskIDs[waiting.integer(0)], !stages.contains(receiver.stage) else { continue }
            throw StateError(
                .incompatible,
                "batches wait for stage \(receiver.stage), but this version of the job does not have it; start the version that has it, let it drain, then this one"
            )
        }
    }

    /// Found out before anything is changed for good: what another version sent must be readable, each message of it.
    private func refuseUnreadableMessages() throws {
        let row = try Statement(
            database, "SELECT sender, receiver, epoch, count, layout, bytes FROM message WHERE layout = ? ORDER BY sequence")
        let layout = try Statement(database, "SELECT DISTINCT layout FROM message")
        while try layout.step() {
            if layout.integer(0) == OutputLayouts.unknown {
                throw StateError(
                    .incompatible,
                    "messages wait in the state file \(database.path) for a stage that nobody sends to in this version of the job: start the version that sends them, built with this version of Tidemark, and stop it with SIGTERM once it is ready, so that it drains (exit code 0); then this one"
                )
            }
            guard case .mapped = try messageLayouts.reading(layout.integer(0), in: database) else { continue }
            try row.bind(.integer(layout.integer(0)))
            while try row.step() {
                guard let sender = taskIDs[row.integer(0)], let receiver = taskIDs[row.integer(1)],
                    let epoch = Epoch(stored: row.integer(2))
                else { continue }
                let id = MessageBatchID(from: sender, to: receiver, epoch: epoch)
                _ = try messageLayouts.read(
                    MessageBatch(id: id, count: try row.count(3), bytes: row.blob(5).copy()), laidOut: row.integer(4), in: database)
            }
        }
    }

    /// Rows for a sink that is there no more would wait for ever, and a drain with them.
    private func refuseUndeliveredRows(ofSinksNotIn topology: Topology) throws {
        for (name, id) in outputs {
            guard let sink = OutboxTable.sink(ofName: name), !topology.additionalSinks.contains(sink),
                try waits("outbox WHERE output_table = ?", .integer(id))
            else { continue }
            throw StateError(
                .incompatible,
                "rows wait to be delivered to the output \(sink) (\(name)), but it is switched off now: switch it on again and stop the job with SIGTERM once it delivers, so that it drains; then switch it off"
            )
        }
    }

    private func waits(_ place: String, _ value: Statement.Value) throws -> Bool {
        let waiting = try Statement(database, "SELECT 1 FROM \(place) LIMIT 1")
        try waiting.bind(value)
        return try waiting.step()
    }

    /// A file of an earlier format does not say how what waits is laid out: of rows only the version that wrote them knows. Messages
    /// were left by every drain then, and each decoder had to read what the version before it sent: they are taken for its own.
    private func findUnknownLayouts(of topology: Topology) throws {
        let unknown = Statement.Value.integer(OutputLayouts.unknown)
        for (id, task) in taskIDs {
            guard let layout = messageLayouts.id(of: task.stage) else { continue }
            try Statement(database, "UPDATE message SET layout = ? WHERE layout = ? AND receiver = ?").run(
                .integer(layout), unknown, .integer(id))
        }
        guard try waits("outbox WHERE layout = ?", unknown) else { return }
        let writer = try database.meta("job_version") ?? "?"
        guard writer == String(topology.version) else {
            throw StateError(
                .incompatible,
                "rows of version \(writer) of the job wait in the state file \(database.path), which is of a format that does not say how they are laid out, so that version \(topology.version) can't read them. Start version \(writer), built with this version of Tidemark, and stop it with SIGTERM, so that it drains (exit code 0); then this one"
            )
        }
        for (name, id) in outputs {
            guard let table = topology.tables.first(where: { $0.name == OutboxTable.table(ofName: name) }),
                let layout = layouts.id(of: table)
            else { continue }
            try Statement(database, "UPDATE outbox SET layout = ? WHERE layout = ? AND output_table = ?").run(
                .integer(layout), unknown, .integer(id))
        }
        guard try waits("outbox WHERE layout = ?", unknown) else { return }
        throw StateError(
            .incompatible,
            "rows wait in the state file \(database.path) for tables that this version of the job does not have, although it is of the same number, \(writer), as the one that wrote them: start the job as it was and let it drain, then raise the version of the changed one"
        )
    }

    /// The number of a task, given to it when it is first seen. Must run inside a transaction.
    func id(of task: TaskID) throws -> Int64 {
        if let id = tasks[task] { return id }
        try Statement(database, "INSERT INTO task (stage, partition) VALUES (?, ?)").run(
            .text(task.stage.text), .integer(Int64(task.partition)))
        let id = try lastID()
        remember(task, id)
        return id
    }

    /// Forgets what a transaction that was rolled back had added.
    func forgetTasks(notIn known: [TaskID: Int64]) {
        tasks = known
        taskIDs = Dictionary(uniqueKeysWithValues: known.map { ($1, $0) })
    }

    func lastID() throws -> Int64 { try database.lastRowID() }
}
