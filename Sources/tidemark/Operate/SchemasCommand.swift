import ArgumentParser
import CommandLineParts
import Engine
import SQLiteState

/// `tidemark schemas`
struct SchemasCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schemas",
        abstract: "Prints the state tables that this version of the job declares, as JSON.",
        discussion: """
            With --state, also what a start would do with that state file, table by table, and what it needs of each table in \
            ClickHouse; `checkpoint compat` asks this of a checkpoint.
            """
    )

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var drops: DropOptions

    @Option(help: ArgumentHelp("A state file that nobody has open, such as a checkpoint's.", valueName: "file"))
    var state: String?

    func run() throws {
        let configuration = try options.load()
        let job = JobParts(configuration: configuration, logger: LogOutput.start(configuration.log, redactor: configuration.redactor))
        let reader = try state.map { try StateReader(path: $0) }
        let topology = job.topology(over: reader?.fixedSettings)
        var parts = [
            "\"schema\":\"tidemark.schemas/1\"", "\"job\":\(quotedJSON(topology.job))", "\"version\":\(topology.version)",
            "\"tables\":[\(topology.stages.flatMap { stage in stage.blueprint.schemas.map { SchemasCommand.json($0, stage.name) } }.joined(separator: ","))]",
        ]
        if let reader {
            parts.append("\"start\":\(try start(topology, on: reader, in: configuration.state.directory))")
            parts.append("\"clickHouse\":\(TableNeeds(parts: job).json(topology.tables, known: reader.outputLayouts.map(\.table)))")
        }
        Console.writeResult("{\(parts.joined(separator: ","))}")
    }

    private static func json(_ schema: StateSchema, _ stage: StageName) -> String {
        let fields = schema.fields.map { "\(quotedJSON($0.name)):\(quotedJSON($0.type.rawValue))" }.joined(separator: ",")
        let window = schema.span.map { String($0.milliseconds) } ?? "null"
        return "{\"stage\":\(quotedJSON(stage.text)),\"table\":\(quotedJSON(schema.table)),\"version\":\(schema.version),"
            + "\"key\":\"\(schema.key.rawValue)\",\"timers\":\(schema.hasTimer),\"windowMs\":\(window),\"fields\":{\(fields)}}"
    }

    /// `directory`: where the state would be migrated.
    private func start(_ topology: Topology, on reader: StateReader, in directory: String) throws -> String {
        guard reader.facts.job == topology.job else {
            throw StateError(
                .invalid, "the state in \(reader.path) belongs to job \(reader.facts.job), not to \(topology.job); see to job.id")
        }
        let found = StateCompatibility.compare(
            stored: reader.storedVersions, declared: DeclaredStateTables(topology), dropping: drops.tables)
        var tables = found.tables.map { table in
            "{\"stage\":\(quotedJSON(table.stage.text)),\"table\":\(quotedJSON(table.name)),\"action\":\(quotedJSON(table.action.rawValue)),\"detail\":\(quotedJSON(table.detail))}"
        }
        tables += try WaitingFinding.all(of: reader, topology).map { found in
            "{\"stage\":\"\",\"table\":\(quotedJSON(found.name)),\"action\":\"\(found.action.rawValue)\",\"detail\":\(quotedJSON(found.detail))}"
        }
        let refusal = found.refusal.map(quotedJSON) ?? "null"
        let migration =
            found.refusals.isEmpty ? try reader.migration(found).map { SchemasCommand.json($0, free: DiskRoom().free(in: directory)) } : nil
        return
            "{\"refusal\":\(refusal),\"leastReader\":\(found.leastReader),\"migration\":\(migration ?? "null"),\"tables\":[\(tables.joined(separator: ","))]}"
    }

    private static func json(_ migration: MigrationEstimate, free: Int?) -> String {
        "{\"records\":\(migration.records),\"bytes\":\(migration.bytes),\"seconds\":\(Int(migration.seconds.rounded(.up))),\"room\":\(migration.room),\"free\":\(free.map(String.init) ?? "null")}"
    }
}
