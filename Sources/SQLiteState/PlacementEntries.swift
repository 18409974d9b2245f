import Engine

/// The entries of `meta` that say how state belongs to a topic's partitions, so that it can follow when the topic grows.
struct PlacementEntries {
    private static let topic = "topic "
    private static let placement = "placement "
    private static let raise = "raise "
    private static let ended = " ended"

    let database: Database

    /// Notes which stage reads which topic, and what becomes of its tables' records when that grows. What is noted of tables
    /// that the job does not have any more stays. Must run inside a transaction.
    func note(_ topology: Topology) throws {
        for stage in topology.stages {
            guard case .topic(let topic) = stage.input else { continue }
            try set(PlacementEntries.topic + stage.name.text, topic)
            for declaration in stage.blueprint.declarations {
                try set(entry(stage.name, declaration.schema.table), declaration.placement.rawValue)
            }
        }
        let watermarks = try TaskTable(database).all().reduce(into: [:]) { $0["\($1.id)"] = $1.watermark }
        for (name, entry) in try raises() where watermarks[name] ?? .distantPast >= entry.watermark {
            try MetaTable(database).remove(PlacementEntries.raise + name)
        }
    }

    /// The topic that each stage reads.
    func topics() throws -> [StageName: String] {
        try database.dictionary(
            try MetaTable(database).entries(PlacementEntries.topic).map { (StageName($0.name), $0.value) }, of: "the topic of stage")
    }

    /// What becomes of a table's records; nil when it is not noted.
    func placement(of table: String, in stage: StageName) throws -> StatePlacement? {
        let name = entry(stage, table)
        guard let value = try MetaTable(database).value(name) else { return nil }
        guard let known = StatePlacement(rawValue: value) else {
            throw StateError(
                .incompatible,
                "the state file \(database.path) has the entry '\(name)' with '\(value)', which this version does not know; use the version that wrote it, or a newer one"
            )
        }
        return known
    }

    /// By the tasks as they are written.
    func raises() throws -> [(task: String, raise: WatermarkRaise)] {
        try MetaTable(database).entries(PlacementEntries.raise).map { task, value in
            let isEnded = value.ends(with: PlacementEntries.ended)
            guard let milliseconds = Int64(isEnded ? String(value.dropLast(PlacementEntries.ended.count)) : value) else {
                throw StateError(
                    .corrupt,
                    "the state file \(database.path) has the entry '\(PlacementEntries.raise)\(task)' that is no time; \(StateError.wayOut)"
                )
            }
            return (task, WatermarkRaise(to: EventTime(milliseconds: milliseconds), isEnded: isEnded))
        }
    }

    func raisesByTask() throws -> [String: WatermarkRaise] {
        try database.dictionary(try raises().map { ($0.task, $0.raise) }, of: "the raise of task")
    }

    func set(_ raise: WatermarkRaise, of task: TaskID) throws {
        try MetaTable(database).set(
            PlacementEntries.raise + "\(task)", "\(raise.watermark.milliseconds)\(raise.isEnded ? PlacementEntries.ended : "")")
    }

    func removeRaise(of task: TaskID) throws { try MetaTable(database).remove(PlacementEntries.raise + "\(task)") }

    private func entry(_ stage: StageName, _ table: String) -> String { "\(PlacementEntries.placement)\(stage)/\(table)" }

    private func set(_ name: String, _ value: String) throws {
        if try MetaTable(database).value(name) != value { try MetaTable(database).set(name, value) }
    }
}
