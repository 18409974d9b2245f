import Foundation
import TestSupport
import Testing

@Suite("A check looks at the reference topics, their copy and the views, and changes nothing")
struct CheckTests {
    private let clickHouse: ClickHouseServer
    private let log: TemporaryDirectory
    private let job: JobFixture

    init() throws {
        clickHouse = try ClickHouseServer()
        log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        job = try JobFixture(.directory(log.path), clickHouse)
    }

    private func check(_ status: Int32, saying lines: String...) throws {
        let run = try job.run("check")
        #expect(run.status == status, "\(run.output)\(run.errors)")
        for line in lines { #expect(run.output.contains(line), "'\(line)' is missing in:\n\(run.output)") }
    }

    @Test func beforeTheFirstRunAndAfterIt() throws {
        try check(
            0, saying: "ok       reference topic fintech.public.customers: 1 partition, 80 records\n",
            "ok       reference topic fintech.public.merchants: ",
            "ok       references.db: none yet; a run reads the topics from their starts\n",
            "ok       views: 32 of 32 are not there; `tidemark tables` or a run creates them\n"
        )
        #expect(!FileManager.default.fileExists(atPath: job.stateDirectory))
        #expect(try job.runUntilEnd().status == 0)
        try check(
            0, saying: "ok       references.db: customers fits its log, 0 records behind; accounts fits its log, 0 records behind; ",
            "ok       views: 32 views\n"
        )
        // SQLite may have moved its log into the files; what they say is the same.
        #expect(try job.run("check").output == job.run("check").output)
        let again = try job.runUntilEnd()
        #expect(again.status == 0 && again.errors.contains("0 records read"), "\(again.errors)")
    }

    @Test func whatDoesNotFitIsReadAnewAndWhatCanNotBeReadIsAFinding() throws {
        #expect(try job.runUntilEnd().status == 0)
        let file = log.file("fintech.public.customers.jsonl")
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let lines = text.split(separator: "\n")
        try (text + lines[0] + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        try check(0, saying: "customers fits its log, 1 record behind; accounts fits its log, 0 records behind; ")

        try lines.dropLast(10).map { $0 + "\n" }.joined().write(toFile: file, atomically: true, encoding: .utf8)
        try check(0, saying: "references.db: customers is read anew, because ", "; accounts fits its log, 0 records behind; ")

        // As a start then does.
        let run = try job.runUntilEnd()
        #expect(run.status == 0 && run.errors.contains("reference table customers is read anew"), "\(run.errors)")
        try check(0, saying: "references.db: customers fits its log, 0 records behind; ")

        let copy = try #require(FileHandle(forUpdatingAtPath: job.stateDirectory + "/references.db"))
        try copy.write(contentsOf: Data(repeating: 0x5A, count: 64))
        try copy.close()
        try check(0, saying: "ok       references.db: a run makes it anew, because ", "damaged")

        try FileManager.default.removeItem(atPath: file)
        try check(
            2, saying: "finding  reference topic fintech.public.customers: ",
            "skipped  references.db: not looked at, because a reference topic is a finding")
    }

    @Test func whatOthersMayReadOrChangeIsAWarningWithTheCommandToRun() throws {
        let token = log.file("token")
        try "0123456789abcdef0123456789abcdef\n".write(toFile: token, atomically: true, encoding: .utf8)
        #expect(try job.runUntilEnd().status == 0)
        let store = job.checkpoints
        for (state, secret, others) in [(0o700, 0o600, 0o750), (0o755, 0o644, 0o777)] as [(mode_t, mode_t, mode_t)] {
            chmod(job.stateDirectory, state)
            chmod(token, secret)
            chmod(store, others)
            let run = try job.run("check", ["--set", "http.token=${file:\(token)}"])
            #expect(run.status == 0, "\(run.output)")
            let warnings = run.output.split(separator: "\n").filter { $0.hasPrefix("warning  ") }
            guard state == 0o755 else {
                #expect(warnings.isEmpty, "\(warnings)")
                continue
            }
            #expect(warnings.count == 3)
            for text in [
                "secret file: others on this machine may read \(token) (mode 644)", "chmod 600 \(token)",
                "state directory: others on this machine may read",
                "chmod 700 \(job.stateDirectory)", "checkpoint store: others on this machine may change \(store) (mode 777)",
                "chmod g-w,o-rwx \(store)",
            ] { #expect(warnings.contains { $0.contains(text) }, "\(text) in \(warnings)") }
        }
    }

    @Test func theTopicsOfACluster() throws {
        let broker = try DevelopmentBrokerProcess(topics: GoldenCase.basic.topics)
        #expect(try TidemarkBinary.run(["load", log.path, "--brokers", broker.brokers]).status == 0)
        let kafka = try JobFixture(.kafka(broker.brokers), clickHouse)
        let run = try kafka.run("check")
        #expect(
            run.status == 0 && run.output.contains("ok       reference topic fintech.public.customers: 1 partition, at most 80 records\n"),
            "\(run.output)\(run.errors)")
    }
}
