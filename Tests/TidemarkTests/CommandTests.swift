import Foundation
import TestSupport
import Testing

@Suite("Commands: exact names, options, exit codes, results on standard output and the rest on standard error")
struct CommandTests {
    @Test(arguments: [
        ["generate", "--transactions", "1"], ["generate", "--transactions", "0", "--out", "x"],
        ["generate", "--out", "x", "--brokers", "y", "--transactions", "1"],
        ["generate", "--out", "x", "--transactions", "1", "--live"], ["nonsense"], ["run"],
        ["resolve", "--config", "x", "--batch", "t", "--as", "delivered"],
        ["resolve", "--config", "x", "--batch", "t:1", "--as", "lost"], ["dev", "--port", "70000"], ["load", "x"],
        ["run", "--config", "x", "--set", "foo"], ["dev", "--topics", "foo"],
    ])
    func aWrongUseEndsWith64(arguments: [String]) throws {
        let run = try TidemarkBinary.run(arguments)
        #expect(run.status == 64 && run.output.isEmpty && run.errors.contains("Usage: tidemark"), "\(run)")
    }

    @Test func everyCommandExplainsItself() throws {
        let overview = try TidemarkBinary.run(["--help"])
        #expect(overview.status == 0)
        for command in ["run", "check", "generate", "load", "dev", "resolve", "tables", "finalize"] {
            #expect(["\n  \(command) ", "\n  \(command), "].contains(where: overview.output.contains), "\(command) is missing")
            let help = try TidemarkBinary.run(["help", command])
            #expect(help.status == 0 && help.output.hasPrefix("OVERVIEW: "))
        }
    }

    @Test(arguments: ["run", "check", "generate", "load", "dev", "resolve", "tables", "finalize"])
    func everyOptionIsDocumented(command: String) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/INTERFACE.md"), encoding: .utf8)
        let line = try #require(page.split(separator: "\n").first { $0.hasPrefix("| `tidemark \(command) ") })
        let help = try TidemarkBinary.run(["help", command]).output
        let options = help.split { $0.isWhitespace }.filter { $0.hasPrefix("--") }.map {
            $0.trimmingCharacters(in: CharacterSet(charactersIn: ",.;"))
        }
        #expect(Set(options).contains("--help"))
        for option in Set(options).subtracting(["--help", "--version"]) { #expect(line.contains(option), "\(option) is missing") }
    }

    @Test func generatedFilesAreLaidOutByPartitionAndNeverOverwritten() throws {
        let directory = try TemporaryDirectory()
        let arguments = [
            "generate", "--out", directory.file("log"), "--transactions", "500", "--customers", "40", "--merchants", "5", "--partitions",
            "4",
        ]
        let run = try TidemarkBinary.run(arguments)
        #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
        #expect(run.output.contains("fintech.public.transactions\t500\n") && run.output.contains("fintech.public.customers\t40\n"))
        let lines = try (0..<4).map { partition in
            try String(contentsOfFile: directory.file("log/fintech.public.transactions/\(partition).jsonl"), encoding: .utf8).split(
                separator: "\n")
        }
        #expect(lines.reduce(0) { $0 + $1.count } == 500 && lines.allSatisfy { !$0.isEmpty })
        let customers = try String(contentsOfFile: directory.file("log/fintech.public.customers.jsonl"), encoding: .utf8)
        #expect(customers.split(separator: "\n").count == 40)

        let again = try TidemarkBinary.run(arguments)
        #expect(again.status == 1 && again.errors.contains("exists already"), "\(again.errors)")
    }

    @Test func theDevelopmentBrokerIsReadyAndEndsWhenAskedTo() throws {
        let port = freePort()
        let broker = try TidemarkBinary.start(["dev", "--port", "\(port)", "--topics", "t:3"])
        try waitUntil("it is ready") { broker.output == "ready 127.0.0.1:\(port)\n" }
        broker.send(SIGTERM)
        #expect(broker.waitForExit() == 0, "\(broker.errors)")
    }

    @Test func whatIsGeneratedCanBeLoaded() throws {
        let directory = try TemporaryDirectory()
        let broker = try DevelopmentBrokerProcess(topics: ["fintech.public.transactions:4"])
        #expect(
            try TidemarkBinary.run([
                "generate", "--out", directory.file("log"), "--transactions", "300", "--customers", "20", "--merchants", "5",
            ]).status == 0)
        let loaded = try TidemarkBinary.run(["load", directory.file("log"), "--brokers", broker.brokers])
        #expect(loaded.status == 0, "\(loaded.errors)")
        #expect(loaded.output.contains("fintech.public.transactions\t300\n"), "\(loaded.output)")
    }

    @Test func aDirectoryThatIsNotThereIsFoundBeforeAnyBrokerIsAsked() throws {
        let start = Date()
        let run = try TidemarkBinary.run(["load", "/nowhere", "--brokers", "127.0.0.1:\(freePort())"])
        #expect(run.status == 10 && run.errors.contains("/nowhere") && Date().timeIntervalSince(start) < 10, "\(run.errors)")
    }

    @Test func checkOfABrokerThatIsDownIsOneFindingAndGoesOnToTheTables() throws {
        let directory = try TemporaryDirectory()
        let port = freePort()
        let text = """
            job: {id: fintech}
            input: {kafka: {properties: {bootstrap.servers: "127.0.0.1:\(port)"}}}
            clickhouse: {url: "http://127.0.0.1:\(freePort())"}
            """
        try text.write(toFile: directory.file("job.yaml"), atomically: true, encoding: .utf8)
        let run = try TidemarkBinary.run([
            "check", "--config", directory.file("job.yaml"), "--set", "state.directory=\(directory.file("state"))",
        ])
        #expect(
            run.status == 2 && run.output.contains("finding  input: ") && run.output.contains("skipped  topics and positions: "),
            "\(run.output)")
        #expect(!run.output.contains("finding  topic") && run.output.contains("finding  ClickHouse: "), "\(run.output)")
    }

    @Test func checkSaysWhatIsWrongAndWhatToDo() throws {
        let directory = try TemporaryDirectory()
        let text = """
            job: {id: fintech}
            input: {directory: "\(directory.file("log"))"}
            clickhouse: {url: "http://127.0.0.1:\(freePort())", password: hunter2-secret}
            state: {directory: "\(directory.file("state"))"}
            """
        try text.write(toFile: directory.file("job.yaml"), atomically: true, encoding: .utf8)
        try FileManager.default.createDirectory(atPath: directory.file("log"), withIntermediateDirectories: true)
        let run = try TidemarkBinary.run(["check", "--config", directory.file("job.yaml")])
        #expect(run.status == 2, "\(run.errors)")
        #expect(run.output.contains("ok       configuration: job fintech\n"))
        #expect(
            run.output.contains("finding  topic fintech.public.transactions: ") && run.output.contains("finding  ClickHouse: "),
            "\(run.output)")
        #expect(!FileManager.default.fileExists(atPath: directory.file("state")), "a check must change nothing")
        #expect(!(run.output + run.errors).contains("hunter2"))

        #expect(
            run.output.contains("skipped  positions: ") && run.output.contains("skipped  tables: ") && !run.errors.contains(" info "),
            "\(run.output)\(run.errors)")

        let wrong = try TidemarkBinary.run(["check", "--config", directory.file("job.yaml"), "--set", "epoch.interval=soon"])
        #expect(
            wrong.status == 2 && wrong.output.contains("finding  configuration: job.yaml") == false
                && wrong.output.contains("finding  configuration: --set") && wrong.output.contains("epoch.interval"))
    }
}
