import Foundation
import TestSupport
import Testing

@Suite("docs/OPERATIONS.md: every procedure works as it stands there", .serialized)
struct OperationsTests {
    private static let transactions = 4000

    @Test(.timeLimit(.minutes(5)))
    func theProceduresRunOneAfterTheOther() throws {
        let clickHouse = try ClickHouseServer()
        let topics = GoldenCase.streams.map { "\($0):4" } + GoldenCase.referenceTopics.map { "\($0):1" }
        let broker = try DevelopmentBrokerProcess(topics: topics)
        let made = try TidemarkBinary.run([
            "generate", "--brokers", broker.brokers, "--transactions", "\(Self.transactions)", "--rate", "100000",
        ])
        #expect(made.status == 0, "\(made.errors)")

        let page = "127.0.0.1:\(freePort())"
        let directory = try TemporaryDirectory("tidemark-operations")
        try """
        job: {id: fintech}
        input: {kafka: {properties: {bootstrap.servers: "\(broker.brokers)"}}, operations: inserts}
        clickhouse: {url: "\(clickHouse.url)", database: operations, resolveDelay: 200ms, flushInterval: 100ms}
        state: {directory: state}
        checkpoints: {store: checkpoints, interval: 1s}
        http: {bind: "\(page)"}
        """.write(toFile: directory.file("fintech.yaml"), atomically: true, encoding: .utf8)
        let blocks = try Self.blocks { $0 != Self.growth }.map { $0.replacingOccurrences(of: "127.0.0.1:9464", with: page) }
        try #require(blocks.count >= 9)
        try run(blocks, in: directory)

        // What each record makes at once is there as in a run that nobody disturbed.
        let undisturbed = try JobFixture(.kafka(broker.brokers), clickHouse)
        #expect(try undisturbed.runUntilEnd().status == 0)
        for table in ["fraud_detection_alerts", "customer_lifecycle_analytics"] {
            let rows = try clickHouse.rows(
                "SELECT toString(count()), toString(uniqExact(_task, _lineage, _batch, _row)) FROM operations.\(table)")[0]
            let expected = try undisturbed.rowCount(table)
            #expect(rows == ["\(expected)", "\(expected)"], "\(table)")
        }
    }

    /// A development broker's topics don't grow, so that this one is a directory, and what makes it grow is of the test.
    @Test(.timeLimit(.minutes(2)))
    func theProcedureForATopicThatGrewRuns() throws {
        let clickHouse = try ClickHouseServer()
        let log = try GrowingLog()
        let steady = try JobFixture(.directory(log.steady.path), clickHouse, settings: ["input.deduplicate.by=id"])
        #expect(try steady.runUntilEnd().status == 0)
        let job = try JobFixture(.directory(log.growing.path), clickHouse)
        let directory = try TemporaryDirectory("tidemark-growth")
        try """
        job: {id: fintech}
        input: {directory: "\(log.growing.path)", deduplicate: {by: id}, operations: inserts}
        clickhouse: {url: "\(clickHouse.url)", database: \(job.database), resolveDelay: 200ms, flushInterval: 100ms}
        state: {directory: state}
        checkpoints: {store: checkpoints, interval: 1s}
        http: {bind: "off"}
        """.write(toFile: directory.file("fintech.yaml"), atomically: true, encoding: .utf8)
        let later = try log.laterFiles(of: 4)
        let grow =
            "#!/bin/bash\nset -e\nwhile [ \"$1\" != --topic ]; do shift; done\ncd '\(later.path)'/$2\nfor part in *.jsonl; do cat $part >>'\(log.growing.path)'/$2/$part; done\n"
        try grow.write(toFile: directory.file("kafka-topics.sh"), atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory.file("kafka-topics.sh"))
        let blocks = try Self.blocks { $0 == Self.growth }
        try #require(blocks.count == 3)
        let start =
            "tidemark run --config fintech.yaml & worker=$!\nuntil checkpoint show latest --config fintech.yaml | grep 'reason  *interval'; do sleep 1; done\n"
        let end = "kill -TERM $worker\nwait $worker\ntidemark run --config fintech.yaml --until-end\n"
        try run([start] + blocks + [end], in: directory)
        for table in GoldenEndToEndTests.tables { #expect(try job.rowsThatDiffer(from: steady, table) == 0, "\(table.name)") }
    }

    private func run(_ blocks: [String], in directory: TemporaryDirectory) throws {
        // What is still running when a command fails must not outlive the test.
        let script =
            "set -euo pipefail\ntrap 'jobs -p | xargs -r kill -KILL' EXIT\ncd '\(directory.path)'\n"
            + blocks.map { "echo '== next procedure'\nset -x\n\($0)\nset +x\n" }.joined()
        try script.write(toFile: directory.file("procedures.sh"), atomically: true, encoding: .utf8)
        let bin = URL(fileURLWithPath: TidemarkBinary.path).deletingLastPathComponent().path
        let run = try ChildProcess(
            "/usr/bin/env", ["PATH=\(bin):\(directory.path):/usr/bin:/bin", "bash", directory.file("procedures.sh")])
        let status = run.waitForExit()
        #expect(status == 0, "\(run.output.suffix(3000))\n\(run.errors.suffix(6000))")
    }

    private static let growth = "A topic that grew"

    /// The shell blocks of the page's sections with these titles, in order.
    private static func blocks(of wanted: (String) -> Bool) throws -> [String] {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../docs/OPERATIONS.md")
        let sections = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "\n## ").filter {
            wanted($0.components(separatedBy: "\n")[0])
        }
        return sections.flatMap { $0.components(separatedBy: "```sh\n").dropFirst().compactMap { $0.components(separatedBy: "```").first } }
    }
}
