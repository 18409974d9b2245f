import ArgumentParser
import CommandLineParts
import Engine
import Foundation

/// `checkpoint compat`
struct CompatCommand: CheckpointVerb {
    static let configuration = verb(
        "compat", abstract: "Says what a job's version would do with a checkpoint, table by table, without starting it.",
        discussion: """
            Asks the job's own binary (`tidemark schemas --state`), which knows its tables and how they go on from earlier versions. \
            Ends with 5 when it would refuse the state, and with 2 when a table in ClickHouse has to be altered before it can start.
            """
    )

    @OptionGroup var words: CheckpointWords<CompatCommand>

    @Option(help: ArgumentHelp("The job's binary; without it, the tidemark beside this tool.", valueName: "file"))
    var binary: String?

    @Option(
        name: .customLong("job-config"),
        help: ArgumentHelp("The new version's configuration, where it is another than --config.", valueName: "file"))
    var jobConfig: String?

    @Option(
        name: .customLong("drop"),
        help: ArgumentHelp("A state table that the start would be told to drop; may be repeated.", valueName: "table"))
    var drops: [String] = []

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if jobConfig == nil && source.storeOptions.config == nil {
            throw ValidationError("name the job's configuration: --config FILE, or --job-config FILE beside --store")
        }
    }

    /// What the binary answers.
    private struct Answer: Decodable {
        struct Start: Decodable {
            let refusal: String?
            let leastReader: Int
            /// nil when nothing is migrated, and from versions that don't say.
            let migration: Migration?
            let tables: [Table]
        }

        struct Table: Decodable {
            let stage: String
            let table: String
            let action: String
            let detail: String
        }

        /// What bringing tables to another version takes, about.
        struct Migration: Decodable {
            let records: Int
            let bytes: Int
            let seconds: Int
            let room: Int
            let free: Int?
        }

        /// What it needs of its tables in ClickHouse.
        struct ClickHouse: Decodable {
            struct Table: Decodable {
                let table: String
                let standing: String
                let details: [String]
            }

            /// Why they can't be looked at; nil when they were.
            let problem: String?
            let tables: [Table]

            var isUnfit: Bool { tables.contains { $0.standing == "alter" } }
        }

        let job: String
        let version: Int
        let start: Start
        /// Binaries of earlier versions don't say.
        let clickHouse: ClickHouse?
    }

    func run() throws {
        let checkpoint = try source.open(reference)
        let answer = try ask(checkpoint.reader.path)
        let isRefused = answer.start.refusal != nil || answer.start.tables.contains { $0.action == "refuse" }
        let report = Report("compat", output, hasSections: true)
        report.fact("checkpoint", .text(checkpoint.name))
        report.fact("job", .text(answer.job))
        report.fact("storedVersion", .count(checkpoint.reader.facts.jobVersion))
        report.fact("newVersion", .count(answer.version))
        report.fact("starts", .flag(!isRefused && answer.clickHouse?.isUnfit != true))
        report.fact("refusal", answer.start.refusal.map { .text($0) } ?? .none)
        report.fact("leastReaderAfterwards", .count(answer.start.leastReader))
        if let migration = answer.start.migration {
            report.fact("migratedRecords", .count(migration.records))
            report.fact("migratedBytes", .bytes(migration.bytes))
            report.fact("migrationSecondsAbout", .count(migration.seconds))
            report.fact("migrationRoomAbout", .bytes(migration.room))
            report.fact("roomFree", migration.free.map { .bytes($0) } ?? .none)
        }
        report.section("tables", ["stage", "table", "action", "detail"].map { ReportColumn($0) })
        for table in answer.start.tables { report.row([.text(table.stage), .text(table.table), .text(table.action), .text(table.detail)]) }
        tell(of: answer.clickHouse, report)
        report.finish()
        if isRefused { throw ExitCode(ExitStatus.incompatible.rawValue) }
        if answer.clickHouse?.isUnfit == true { throw ExitCode(ExitStatus.differs.rawValue) }
    }

    private func tell(of clickHouse: Answer.ClickHouse?, _ report: Report) {
        guard let clickHouse else { return }
        report.section("clickHouse", ["table", "standing", "detail"].map { ReportColumn($0) })
        if let problem = clickHouse.problem { report.row([.none, .text("not looked at"), .text(problem)]) }
        for table in clickHouse.tables {
            for detail in table.details.isEmpty ? [""] : table.details {
                report.row([.text(table.table), .text(table.standing), detail.isEmpty ? .none : .text(detail)])
            }
        }
    }

    private func ask(_ state: String) throws -> Answer {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        let path = binary ?? own + "/tidemark"
        guard access(path, X_OK) == 0 else { throw ToolError(.missing, "there is no program \(path); name the job's with --binary") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments =
            ["schemas", "--config", jobConfig ?? source.storeOptions.config ?? "", "--state", state] + drops.flatMap { ["--drop", $0] }
        let result = Pipe()
        process.standardOutput = result
        try process.run()
        let bytes = result.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ToolError(
                .invalid,
                "\(path) schemas ended with \(process.terminationStatus); what it wrote is above. It has to be a version that knows `schemas`"
            )
        }
        do {
            return try JSONDecoder().decode(Answer.self, from: bytes)
        } catch {
            throw ToolError(.incompatible, "\(path) schemas answered what this version of the tool does not know", cause: error)
        }
    }
}
