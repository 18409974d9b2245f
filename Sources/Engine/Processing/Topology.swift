/// A job as the engine sees it: its stages, from topics to tables.
///
/// ```swift
/// let job = Topology(job: "clicks", version: 1, stages: [
///     Stage("clicks", topic: "clicks") { setup in
///         setup.decode(with: ClickDecoder())
///             .outOfOrderness(.seconds(5))
///             .rejecting(topic: "clicks")
///             .window(.minutes(1), ClicksPerPage(rows: setup.rows(of: clicksTable)))
///     },
/// ])
/// ```
public struct Topology: Sendable {
    public let job: String
    /// Counted up with every change of what the job stores or computes.
    public let version: Int
    public let stages: [Stage]
    public let references: [Reference]
    /// The sinks that get every row beside the job's first one.
    public private(set) var additionalSinks: [SinkName] = []
    /// Settings by their names that the state is built on, so that a change of one needs a new state: a store keeps them
    /// and refuses others.
    public let fixedSettings: [String: String]
    /// What a state was built with that was begun before a setting was among the fixed ones.
    public let settingsOfEarlierStates: [String: String]
    /// Questions that dashboards ask of the tables; a sink that can answers them.
    public let views: [OutputView]

    public init(
        job: String, version: Int, stages: [Stage], references: [Reference] = [], views: [OutputView] = [],
        fixedSettings: [String: String] = [:],
        settingsOfEarlierStates: [String: String] = [:]
    ) {
        let names = stages.map(\.name)
        precondition(Set(names).count == names.count, "job \(job): two stages have the same name")
        self.job = job
        self.version = version
        self.stages = stages
        self.references = references
        self.fixedSettings = fixedSettings
        self.settingsOfEarlierStates = settingsOfEarlierStates
        self.views = views
        precondition(Set(views.map(\.name)).count == views.count, "job \(job): two views have the same name")
        precondition(Set(references.map(\.name)).count == references.count, "job \(job): two references have the same name")
    }

    /// All topics that are read, each once: those of stages, then those of references.
    public var topics: [String] {
        let streams = stages.compactMap { stage in if case .topic(let topic) = stage.input { topic } else { nil } }
        return (streams + references.map(\.topic)).reduce(into: []) { topics, topic in
            if !topics.contains(topic) { topics.append(topic) }
        }
    }

    /// All output tables, in order of first mention; stages that share one share it by declaration.
    public var tables: [OutputTable] {
        var tables: [OutputTable] = []
        for table in stages.flatMap(\.blueprint.tables) {
            guard let known = tables.first(where: { $0.name == table.name }) else {
                tables.append(table)
                continue
            }
            precondition(known == table, "job \(job): two tables are called \(table.name)")
        }
        return tables
    }

    /// The job with its rows going to `sinks` too, from the next epoch on.
    public func alsoWriting(to sinks: [SinkName]) -> Topology {
        precondition(Set(sinks).count == sinks.count, "job \(job): two sinks have the same name")
        var topology = self
        topology.additionalSinks = sinks
        return topology
    }

    /// All output tables on their way to every sink, the first sink's before the others'.
    package var outboxTables: [OutboxTable] {
        let tables = tables
        return tables.map { OutboxTable($0) } + additionalSinks.flatMap { sink in tables.map { OutboxTable($0, sink: sink) } }
    }

    /// How many tasks each stage has. `partitions`: how many each topic has, of which those that are not named have none.
    package func taskCounts(_ partitions: [String: Int]) -> [StageName: Int] {
        Dictionary(
            uniqueKeysWithValues: stages.map { stage in
                switch stage.input {
                case .topic(let topic): (stage.name, partitions[topic] ?? 0)
                case .messages(let count): (stage.name, count)
                }
            })
    }

    /// How the messages to each stage that is sent to are laid out.
    package var messageLayouts: [StageName: MessageLayout] {
        var layouts: [StageName: MessageLayout] = [:]
        for sent in stages.flatMap(\.blueprint.messages) {
            precondition(
                layouts[sent.stage]?.isAlike(sent.layout) ?? true, "job \(job): stage \(sent.stage) is sent messages in two layouts")
            layouts[sent.stage] = sent.layout
        }
        return layouts
    }

    /// The stages that send to `stage`.
    package func senders(to stage: StageName) -> [Stage] { stages.filter { $0.blueprint.sendsTo.contains(stage) } }
}
