import Engine

/// A stage whose topic grew, as the state file has it.
struct GrowingStage {
    struct Table {
        let id: Int64
        let stage: StageName
        let schema: StateSchema
        var placement: StatePlacement

        var name: String { "\(stage).\(schema.table)" }

        /// The key as the job's events have it.
        func key(of stored: ByteView) -> ByteView { schema.key == .windowAndKey ? WindowKey.bareKey(of: stored) : stored }
    }

    struct Task {
        let id: Int64
        /// nil before its first record.
        let watermark: EventTime?
        let isEnded: Bool
        /// What an earlier growth left to be done, and no run has done.
        let raise: WatermarkRaise?

        /// How far it is once that is done.
        var reached: WatermarkRaise {
            let present = WatermarkRaise(to: watermark ?? .distantPast, isEnded: isEnded)
            return raise.map { $0.watermark > present.watermark ? $0 : present } ?? present
        }
    }

    let name: StageName
    /// As they are stored: copies for an earlier version of the job and removed ones included.
    private(set) var tables: [Table]
    /// By partition; one that nothing was ever stored for is missing.
    private(set) var tasks: [Int: Task]

    init(_ name: StageName, _ database: Database) throws {
        self.name = name
        let entries = PlacementEntries(database: database)
        tables = try StateTableRows(database: database).all().filter { $0.stored.stage == name }.map {
            Table(id: $0.id, stage: name, schema: $0.schema, placement: try entries.placement(of: $0.schema.table, in: name) ?? .moves)
        }.sorted { ($0.name, $0.schema.version) < ($1.name, $1.schema.version) }
        tasks = [:]
        let raises = try entries.raisesByTask()
        for task in try TaskTable(database).all() where task.id.stage == name {
            tasks[task.id.partition] = Task(id: task.number, watermark: task.watermark, isEnded: task.isEnded, raise: raises["\(task.id)"])
        }
    }

    /// An operator's word on a table counts more than what is noted of it.
    mutating func place(_ named: [String: StatePlacement]) {
        for index in tables.indices { tables[index].placement = named[tables[index].name] ?? tables[index].placement }
    }

    mutating func add(_ task: Task, at partition: Int) { tasks[partition] = task }
}
