import ArgumentParser
import CommandLineParts

/// `tidemark tables`
struct TablesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tables",
        abstract: "Creates the ClickHouse tables of the job that are missing, or prints their statements.",
        discussion: "Types and settings are those that the server has; tables that exist are left as they are."
    )

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print the statements and change nothing.")
    var print = false

    func run() throws {
        let configuration = try options.load()
        let parts = JobParts(configuration: configuration, logger: LogOutput.start(configuration.log, redactor: configuration.redactor))
        let tables = parts.topology.tables
        let sink = try parts.makeSink()
        if self.print {
            Console.writeResult(try sink.createStatements(tables))
        } else {
            let created = try sink.createTables(tables)
            for table in tables {
                Console.writeResult("\(configuration.clickHouse.database).\(table.name)\t\(created.contains(table.name) ? "created" : "there already")")
            }
        }
    }
}
