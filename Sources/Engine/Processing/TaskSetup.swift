/// What a stage's build function gets for one task: where it runs, and the handles that its processors write through.
public final class TaskSetup {
    public let task: TaskID
    let environment: TaskEnvironment
    private(set) var rowWriters: [RowWriter] = []
    private(set) var messageWriters: [MessageWriter] = []
    private(set) var sideStates: [any SideState] = []

    public init(task: TaskID, environment: TaskEnvironment) {
        self.task = task
        self.environment = environment
    }

    /// The rows that this task writes to `table`; asked for again, the same handle.
    public func rows(of table: OutputTable) -> RowWriter {
        if let known = rowWriters.first(where: { $0.table.name == table.name }) {
            precondition(known.table == table, "two tables are called \(table.name)")
            return known
        }
        let writer = RowWriter(table: table, partitioning: environment.partitioning[table.name] ?? .month)
        rowWriters.append(writer)
        return writer
    }

    /// The messages that this task sends to another stage, by key; asked for again, the same handle. `layout`: of their payloads, the
    /// same in all that is sent to the stage; of version 1, known to the job's code alone, unless said.
    public func messages(to stage: StageName, layout: MessageLayout = MessageLayout(version: 1)) -> MessageWriter {
        if let known = messageWriters.first(where: { $0.stage == stage }) {
            precondition(known.layout.isAlike(layout), "stage \(task.stage) sends to \(stage) in two layouts")
            return known
        }
        let writer = MessageWriter(stage: stage, layout: layout, from: task, partitions: environment.partitions[stage] ?? 1)
        messageWriters.append(writer)
        return writer
    }

    /// Where the task's decoder and processors say what is to be known of records that were used all the same.
    public let remarks = TaskRemarks()

    /// A record for each key that is kept for ever, beside the processors' own state. `name` and `version` as theirs: the
    /// name is stored, and unique in the stage. `evolution`: how state of earlier versions goes on. `placement`: what becomes
    /// of them when the stage's topic gets more partitions.
    public func records<Record: StateRecord>(
        _ name: String, version: Int, of record: Record.Type = Record.self, evolution: StateEvolution = .none,
        placement: StatePlacement = .moves
    ) -> KeyedRecords<Record> {
        let records = KeyedRecords<Record>(
            name: name, version: version, evolution: evolution, placement: placement, task: task, cold: environment.cold)
        sideStates.append(records)
        return records
    }

    /// The members of groups in windows of `span`, for exact counts of many distinct names. `name` and `version` as above.
    public func windowedSet(_ name: String, version: Int, span: EventSpan) -> WindowedSet {
        let members = WindowedSet(name: name, version: version, span: span, task: task, cold: environment.cold)
        sideStates.append(members)
        return members
    }

    /// A record for each key and window of `span`. `name` and `version` as above; `placement`: what becomes of them when the stage's
    /// topic gets more partitions.
    public func windowedRecords<Record: StateRecord>(
        _ name: String, version: Int, span: EventSpan, placement: StatePlacement, of record: Record.Type = Record.self
    ) -> WindowedRecords<Record> {
        let records = WindowedRecords<Record>(
            name: name, version: version, span: span, placement: placement, task: task, cold: environment.cold)
        sideStates.append(records)
        return records
    }

    /// Throws what went wrong inside a handle.
    func checkSideStates() throws {
        for state in sideStates {
            if let failure = state.failure { throw failure }
        }
    }

    /// The reference table of this name, shared by all tasks of the worker.
    public func reference(_ name: String) -> ReferenceTable {
        if let table = environment.references[name] { return table }
        precondition(environment.isBlueprint, "the topology declares no reference '\(name)'")
        return ReferenceTable(name: name)
    }

    /// Starts a task that decodes its records with `decoder`; add processors to what comes back.
    public func decode<Decoder: EventDecoder>(with decoder: Decoder) -> StageTask<Decoder> {
        StageTask(decoder: decoder, setup: self)
    }
}
