import Admin
import CurlHTTP
import Foundation
import TestSupport
import Testing

@Suite("The status page of a running job, and what it hides")
struct StatusTests {
    @Test func aRunningJobShowsItsPartitionsAndTables() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        let job = try JobFixture(.directory(log.path), clickHouse)
        let worker = try job.start()
        let page = try statusPage(of: worker)
        var status: StatusSnapshot?
        try waitUntil("all is read and delivered") {
            let found = try JSONDecoder().decode(StatusSnapshot.self, from: Data(try get(page + "status").utf8))
            status = found
            let transactions = found.partitions.first { $0.topic.hasSuffix("transactions") }
            return transactions?.nextOffset == 2000 && transactions?.lag == 0 && found.tables.contains { $0.rowsDelivered > 0 }
        }
        let found = try #require(status)
        #expect(found.job == "fintech" && found.phase == .running && found.lineage == 1 && found.epoch > 0)
        #expect(found.partitions.count == 2 && found.tables.count == GoldenEndToEndTests.tables.count && found.problems == [])
        #expect(found.memory.residentBytes > 1 << 20)
        let customers = try #require(found.references.first { $0.name == "customers" })
        #expect(
            found.references.count == 4 && customers.topic == "fintech.public.customers" && customers.keys == 80
                && customers.memoryBytes > 0)
        #expect(customers.loaded == customers.toLoad && customers.records == customers.toLoad.map(UInt64.init) && customers.unusable == 0)
        #expect(
            try get(page + "metrics").contains(
                "tidemark_reference_keys{job_id=\"fintech\",reference=\"customers\",topic=\"fintech.public.customers\"} 80\n"))
        #expect(try get(page).contains("customer_transaction_metrics"))
        #expect(
            try get(page + "metrics").contains(
                "tidemark_partition_next_offset{job_id=\"fintech\",topic=\"fintech.public.transactions\",partition=\"0\"} 2000"))
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")

        let next = try job.start()
        let nextPage = try statusPage(of: next)
        try waitUntil("what is read next, and the lag, are there again though no record comes") {
            let found = try JSONDecoder().decode(StatusSnapshot.self, from: Data(try get(nextPage + "status").utf8))
            return found.partitions.count == 2
                && found.partitions.allSatisfy { $0.nextOffset != nil && $0.lag == 0 && $0.watermark != nil && $0.records == 0 }
        }
        #expect(
            try get(nextPage + "metrics").contains(
                "tidemark_partition_lag{job_id=\"fintech\",topic=\"fintech.public.transactions\",partition=\"0\"} 0"))
        next.send(SIGTERM)
        #expect(next.waitForExit() == 0, "\(next.errors)")
    }

    @Test func aBrokerThatIsDownIsAProblemOnThePageWhileTheJobStarts() throws {
        let clickHouse = try ClickHouseServer()
        let job = try JobFixture(.kafka("127.0.0.1:\(freePort())"), clickHouse)
        let worker = try job.start()
        let page = try statusPage(of: worker)
        try waitUntil("the page says that all brokers are down") { try get(page + "status").contains("all brokers are down") }
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
    }

    @Test func aTopicOfWhichEverythingIsRejectedIsWarnedOf() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-log")
        let file = log.file("fintech.public.transactions.jsonl")
        try "".write(toFile: file, atomically: true, encoding: .utf8)
        for empty in GoldenCase.referenceTopics + ["fintech.public.customer_sessions"] {
            try "".write(toFile: log.file("\(empty).jsonl"), atomically: true, encoding: .utf8)
        }
        let job = try JobFixture(.directory(log.path), clickHouse)
        // A job whose first records are like that is not begun.
        try job.runUntilEnd()
        try "nonsense\nnonsense\n".write(toFile: file, atomically: false, encoding: .utf8)
        let run = try job.runUntilEnd()
        #expect(
            run.status == 0
                && run.errors.contains(
                    "all 2 records read of fintech.public.transactions lately were rejected: 0 late, 2 for other reasons"),
            "\(run.errors)")
    }

    @Test func noLogShowsASecret() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        let job = try JobFixture(.directory(log.path), clickHouse)
        let arguments = job.arguments(
            "run",
            [
                "--until-end", "--set", "clickhouse.user=writer", "--set", "clickhouse.password=${env:PASSWORD}", "--set",
                "log.level=trace",
            ])
        let refused = try ChildProcess(TidemarkBinary.path, arguments, environment: ["PASSWORD": "hunter2-wrong"])
        #expect(refused.waitForExit() == 12, "denied")
        #expect(refused.errors.contains("writer") && !refused.errors.contains("hunter2"), "\(refused.errors)")
        let accepted = try ChildProcess(TidemarkBinary.path, arguments, environment: ["PASSWORD": "tide's mark"])
        #expect(accepted.waitForExit() == 0, "\(accepted.errors)")
        #expect(!accepted.errors.contains("tide's mark"))
    }

    @Test func logsAreOneObjectALineWhereNobodyWatches() throws {
        let clickHouse = try ClickHouseServer()
        let log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        let run = try JobFixture(.directory(log.path), clickHouse, settings: ["log.format=auto"]).runUntilEnd()
        #expect(run.status == 0 && run.output.isEmpty)
        let lines = run.errors.split(separator: "\n")
        #expect(!lines.isEmpty)
        for line in lines {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
            #expect(Set(object.keys).isSuperset(of: ["time", "level", "logger", "message"]))
        }
    }

    private func get(_ url: String) throws -> String {
        let response = try HTTPClient().perform(HTTPRequest(.get, url: url))
        #expect(response.status == 200)
        return response.text
    }
}
