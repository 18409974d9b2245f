import ArgumentParser
import CommandLineParts
import Engine

/// `tidemark tables`
struct TablesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tables",
        abstract: "Creates the ClickHouse tables and views of the job that are missing, or prints their statements.",
        discussion: """
            Types and settings are those that the server has; tables and views that exist are left as they are. Where one of them \
            can't take the job's rows, what has to be done is said, and the command ends with 2.
            """
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
            for outcome in try sink.createTables(tables) {
                let what =
                    switch outcome.what {
                    case .created: "created"
                    case .wasThere: "there already"
                    case .skipped: "skipped"
                    }
                Console.writeResult("\(configuration.clickHouse.database).\(outcome.name)\t\(what)")
            }
            let unfit = try sink.look(at: FoundState.blank(isNew: true).sinkTables(of: parts.topology), for: FoundState.running.intent)
                .filter(
                    \.isUnfit)
            for table in unfit {
                for line in table.lines {
                    Console.writeResult("\(configuration.clickHouse.database).\(table.table)\tdoes not fit\t\(line)")
                }
            }
            if !unfit.isEmpty { throw ExitCode(ExitStatus.differs.rawValue) }
        }
    }
}
