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
        for task in try TaskTable(database).all() {
            guard taskIDs[task.number] == nil else { throw database.damaged("task \(task.id) is there twice") }
            remember(task.id, task.number)
        }
        for (id, name) in try OutputTables(database: database).all() {
            guard outputs[name] == nil else { throw database.damaged("output table \(name) is there twice") }
            remember(name, id)
        }
        try readStateTables()
    }

    /// Reads the state tables anew, after they were changed.
    func readStateTables() throws {
        stored = try StateTableRows(database: database).all()
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
            remember(table, try OutputTables(database: database).add(table))
        }
        try refuseUndeliveredRows(ofSinksNotIn: topology)
        try refuseMessages(notTo: Set(topology.stages.map(\.name)))
        try refuseUnreadableMessages()
    }

    /// Batches for a stage that there is no more would be lost.
    private func refuseMessages(notTo stages: Set<StageName>) throws {
        for number in try MessageRows(database).receivers() {
            guard let receiver = taskIDs[number], !stages.contains(receiver.stage) else { continue }
            throw StateError(
                .incompatible,
                "batches wait for stage \(receiver.stage), but this version of the job does not have it; start the version that has it, let it drain, then this one"
            )
        }
    }

    /// Found out before anything is changed for good: what another version sent must be readable, each message of it.
    private func refuseUnreadableMessages() throws {
        let messages = MessageRows(database)
        for layout in try messages.layouts() {
            if layout == OutputLayouts.unknown {
                throw StateError(
                    .incompatible,
                    "messages wait in the state file \(database.path) for a stage that nobody sends to in this version of the job: start the version that sends them, built with this version of Tidemark, and stop it with SIGTERM once it is ready, so that it drains (exit code 0); then this one"
                )
            }
            guard case .mapped = try messageLayouts.reading(layout, in: database) else { continue }
            try messages.forEach(of: layout) { stored in
                // Whoever restores them refuses what names an unknown task.
                if taskIDs[stored.sender] != nil, taskIDs[stored.receiver] != nil { _ = try batch(stored) }
            }
        }
    }

    /// A stored batch between tasks as this version of the job reads it.
    func batch(_ stored: StoredMessages) throws -> MessageBatch {
        guard let sender = taskIDs[stored.sender], let receiver = taskIDs[stored.receiver] else {
            throw database.damaged("a batch between tasks names an unknown task")
        }
        let id = MessageBatchID(from: sender, to: receiver, epoch: stored.epoch)
        return try messageLayouts.read(MessageBatch(id: id, count: stored.count, bytes: stored.bytes), laidOut: stored.layout, in: database)
    }

    /// Rows for a sink that is there no more would wait for ever, and a drain with them.
    private func refuseUndeliveredRows(ofSinksNotIn topology: Topology) throws {
        for (name, id) in outputs {
            guard let sink = OutboxTable.sink(ofName: name), !topology.additionalSinks.contains(sink),
                try OutboxRows(database).waits(forTable: id)
            else { continue }
            throw StateError(
                .incompatible,
                "rows wait to be delivered to the output \(sink) (\(name)), but it is switched off now: switch it on again and stop the job with SIGTERM once it delivers, so that it drains; then switch it off"
            )
        }
    }

    /// A file of an earlier format does not say how what waits is laid out: of rows only the version that wrote them knows. Messages
    /// were left by every drain then, and each decoder had to read what the version before it sent: they are taken for its own.
    private func findUnknownLayouts(of topology: Topology) throws {
        let outbox = OutboxRows(database)
        for (id, task) in taskIDs {
            guard let layout = messageLayouts.id(of: task.stage) else { continue }
            try MessageRows(database).set(layout: layout, of: id)
        }
        guard try outbox.waits(ofLayout: OutputLayouts.unknown) else { return }
        let writer = try MetaTable(database).value("job_version") ?? "?"
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
            try outbox.set(layout: layout, ofTable: id)
        }
        guard try outbox.waits(ofLayout: OutputLayouts.unknown) else { return }
        throw StateError(
            .incompatible,
            "rows wait in the state file \(database.path) for tables that this version of the job does not have, although it is of the same number, \(writer), as the one that wrote them: start the job as it was and let it drain, then raise the version of the changed one"
        )
    }

    /// The number of a task, given to it when it is first seen. Must run inside a transaction.
    func id(of task: TaskID) throws -> Int64 {
        if let id = tasks[task] { return id }
        let id = try TaskTable(database).add(task)
        remember(task, id)
        return id
    }

    /// Forgets what a transaction that was rolled back had added.
    func forgetTasks(notIn known: [TaskID: Int64]) {
        tasks = known
        taskIDs = Dictionary(uniqueKeysWithValues: known.map { ($1, $0) })
    }
}
