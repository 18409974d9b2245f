import Foundation
import Testing
import TestSupport

@Suite("docs/OPERATIONS.md: every procedure works as it stands there", .serialized)
struct OperationsTests {
    private static let transactions = 4000

    @Test(.timeLimit(.minutes(5)))
    func theProceduresRunOneAfterTheOther() throws {
        let clickHouse = try ClickHouseServer()
        let topics = GoldenCase.streams.map { "\($0):4" } + GoldenCase.referenceTopics.map { "\($0):1" }
        let broker = try DevelopmentBrokerProcess(topics: topics)
        let made = try TidemarkBinary.run(["generate", "--brokers", broker.brokers, "--transactions", "\(Self.transactions)", "--rate", "100000"])
        #expect(made.status == 0, "\(made.errors)")

        let directory = try TemporaryDirectory("tidemark-operations")
        try """
            job: {id: fintech}
            input: {kafka: {properties: {bootstrap.servers: "\(broker.brokers)"}}}
            clickhouse: {url: "\(clickHouse.url)", database: operations, settleDelay: 200ms, flushInterval: 100ms}
            state: {directory: state}
            checkpoints: {store: checkpoints, interval: 1s}
            http: {bind: "off"}
            """.write(toFile: directory.file("fintech.yaml"), atomically: true, encoding: .utf8)
        let blocks = try Self.blocks()
        try #require(blocks.count >= 9)
        // What is still running when a command fails must not outlive the test.
        let script = "set -euo pipefail\ntrap 'jobs -p | xargs -r kill -KILL' EXIT\ncd '\(directory.path)'\n" + blocks.map { "echo '== next procedure'\nset -x\n\($0)\nset +x\n" }.joined()
        try script.write(toFile: directory.file("procedures.sh"), atomically: true, encoding: .utf8)
        let bin = URL(fileURLWithPath: TidemarkBinary.path).deletingLastPathComponent().path
        let run = try ChildProcess("/usr/bin/env", ["PATH=\(bin):/usr/bin:/bin", "bash", directory.file("procedures.sh")])
        let status = run.waitForExit()
        #expect(status == 0, "\(run.output.suffix(3000))\n\(run.errors.suffix(6000))")

        let rows = try clickHouse.rows("SELECT count(), uniqExact(transactionId) FROM operations.fraud_detection_alerts")[0]
        #expect(rows[0] == rows[1] && rows[0] != "0", "alerts: \(rows)")
        let counted = try clickHouse.rows("SELECT count(), uniqExact(customerId, eventTime, eventType) FROM operations.customer_lifecycle_analytics")[0]
        #expect(counted[0] == counted[1], "lifecycle rows: \(counted)")
    }

    /// The page's shell blocks, in order.
    private static func blocks() throws -> [String] {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../docs/OPERATIONS.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        return text.components(separatedBy: "```sh\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
    }
}
