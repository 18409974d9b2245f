import Foundation
import TestSupport
import Testing

@Suite("How far the reference topics are read shows as a bar on a terminal, and as lines of the log elsewhere")
struct ProgressTests {
    @Test func aTerminalShowsABar() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        let job = try JobFixture(.directory(log.path), clickHouse)
        // script(1) gives the command a terminal.
        let command = ([TidemarkBinary.path] + job.arguments("run", ["--until-end"])).map { "'\($0)'" }.joined(separator: " ")
        let run = try ChildProcess("/usr/bin/script", ["--quiet", "--return", "--command", command, "/dev/null"])
        #expect(run.waitForExit() == 0, "\(run.output)\(run.errors)")
        let shown = run.output
        let records = try (GoldenCase.referenceTopics + ["fintech.public.customer_sessions"]).reduce(0) {
            try $0 + GoldenCase.basic.input($1)[0].count
        }
        let bar = String(repeating: "█", count: 30) + " 100 %  \(records) of \(records) reference records, "
        #expect(shown.components(separatedBy: bar).count == 2, "the end of the bar is shown once: \(shown)")
        for line in shown.split(whereSeparator: \.isNewline) where line.contains("█") {
            #expect(line.contains("\u{1B}[K") && !line.contains(" info "), "a line of the log has a line of its own: \(line)")
        }
    }

    @Test func elsewhereThereIsNone() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        let run = try JobFixture(.directory(log.path), clickHouse).runUntilEnd()
        #expect(
            run.status == 0 && !run.errors.contains("█") && !run.errors.contains("\u{1B}")
                && run.errors.contains("reference tables are complete"), "\(run.errors)")
    }
}
