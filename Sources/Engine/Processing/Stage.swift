/// One stage: where its records come from, and how a task of it is built.
public struct Stage: Sendable {
    /// Where a stage's records come from.
    public enum Input: Sendable, Equatable {
        /// A topic of the source; the stage has a task for each of its partitions.
        case topic(String)
        /// Messages of other stages, in this many partitions for ever.
        case messages(partitions: Int)
    }

    public let name: StageName
    public let input: Input
    package let build: @Sendable (TaskSetup) -> any StreamTask

    public init<Decoder: EventDecoder>(_ name: StageName, topic: String, build: @escaping @Sendable (TaskSetup) -> StageTask<Decoder>) {
        self.name = name
        input = .topic(topic)
        self.build = build
    }

    public init<Decoder: EventDecoder>(_ name: StageName, partitions: Int, build: @escaping @Sendable (TaskSetup) -> StageTask<Decoder>) {
        self.name = name
        input = .messages(partitions: partitions)
        self.build = build
    }

    /// With tasks that are no `StageTask`s.
    package init(_ name: StageName, input: Input, build: @escaping @Sendable (TaskSetup) -> any StreamTask) {
        self.name = name
        self.input = input
        self.build = build
    }

    /// What the stage declares, learnt by building one task that nothing is ever done with.
    package var blueprint: StageBlueprint {
        var environment = TaskEnvironment(partitioning: [:], partitions: [:], cold: NothingEvicted(), hashKey: HashKey(first: 0, second: 0))
        environment.isBlueprint = true
        let setup = TaskSetup(task: TaskID(stage: name, partition: 0), environment: environment)
        let task = build(setup)
        return StageBlueprint(
            declarations: task.stateTables.map(\.declaration), tables: setup.rowWriters.map(\.table),
            messages: setup.messageWriters.map { ($0.stage, $0.layout) }
        )
    }
}

/// What a stage declares: its state tables, output tables, the stages that it sends to, and what it sends them.
package struct StageBlueprint: Sendable {
    package let declarations: [StateDeclaration]
    package let tables: [OutputTable]
    package let messages: [(stage: StageName, layout: MessageLayout)]

    package var sendsTo: [StageName] { messages.map(\.stage) }

    package var schemas: [StateSchema] { declarations.map(\.schema) }
}

/// The cold reader of tasks that never evict.
public struct NothingEvicted: ColdStateReader {
    public init() {}
    public func read(task: TaskID, table: String, key: ByteView, _ body: (ByteView) -> Void) {}
    public func scan(task: TaskID, table: String, prefix: ByteView, _ body: (ByteView, ByteView) -> Void) {}
}
