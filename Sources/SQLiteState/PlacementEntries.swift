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
        for (name, entry) in try raises() where try watermark(of: name) >= entry.watermark {
            try database.removeMeta(PlacementEntries.raise + name)
        }
    }

    /// The topic that each stage reads.
    func topics() throws -> [StageName: String] {
        try database.dictionary(try entries(PlacementEntries.topic).map { (StageName($0), $1) }, of: "the topic of stage")
    }

    /// What becomes of a table's records; nil when it is not noted.
    func placement(of table: String, in stage: StageName) throws -> StatePlacement? {
        let name = entry(stage, table)
        guard let value = try database.meta(name) else { return nil }
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
        try entries(PlacementEntries.raise).map { task, value in
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
        try database.setMeta(
            PlacementEntries.raise + "\(task)", "\(raise.watermark.milliseconds)\(raise.isEnded ? PlacementEntries.ended : "")")
    }

    func removeRaise(of task: TaskID) throws { try database.removeMeta(PlacementEntries.raise + "\(task)") }

    private func entry(_ stage: StageName, _ table: String) -> String { "\(PlacementEntries.placement)\(stage)/\(table)" }

    private func set(_ name: String, _ value: String) throws {
        if try database.meta(name) != value { try database.setMeta(name, value) }
    }

    /// What is behind the prefix of each entry that has it, and the value.
    private func entries(_ prefix: String) throws -> [(String, String)] {
        let statement = try Statement(
            database, "SELECT substr(name, length(?1) + 1), value FROM meta WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name")
        try statement.bind(.text(prefix))
        var found: [(String, String)] = []
        while try statement.step() { found.append((statement.text(0), statement.text(1))) }
        return found
    }

    private func watermark(of task: String) throws -> EventTime {
        let statement = try Statement(database, "SELECT watermark FROM task WHERE stage || '/' || partition = ?")
        try statement.bind(.text(task))
        guard try statement.step(), !statement.isNull(0) else { return .distantPast }
        return try statement.eventTime(0)
    }
}
