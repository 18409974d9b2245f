import CRdKafka
import Engine
import Foundation
import Logging
import TestSupport
import Testing

@testable import KafkaIO

/// The shop's newest checkpoint reads on at 23 in partition 0 and at 12 in partition 1.
@Suite("The checkpoint tool asks the input how far a checkpoint is behind it")
struct LagTests {
    static let files = [
        GoldenFile(name: "offsets-no-input", arguments: ["offsets", "--lag"] + StoreTests.store),
        GoldenFile(
            name: "offsets-no-stage",
            arguments: ["offsets", "--lag", "--brokers", "kafka:9092", "--topic", "shop.orders"] + StoreTests.store),
        GoldenFile(
            name: "offsets-wrong-stage",
            arguments: ["offsets", "--lag", "--brokers", "kafka:9092", "--topic", "order=shop.orders"] + StoreTests.store),
        GoldenFile(
            name: "offsets-wrong-topic",
            arguments: ["offsets", "--lag", "--brokers", "kafka:9092", "--topic", "orders=shop.order"] + StoreTests.store),
    ]

    @Test(arguments: files)
    func whatIsMissingIsSaid(file: GoldenFile) throws {
        let found = file.text(of: try CheckpointBinary.run(file.arguments, in: ShopHistory.shared.get().directory.path))
        #expect(try file.expected(or: found) == found)
    }

    @Test func theLagOfEachPartitionAndItsSumAreShown() throws {
        let broker = try ordersBroker(holding: [30, 12])
        let shop = try ShopHistory.shared.get()
        try configure("kafka: {properties: {bootstrap.servers: \"\(broker.bootstrapServers)\"}}", as: "shop.yaml", in: shop)
        for (name, options) in [("offsets-lag", [String]()), ("offsets-lag-json", ["-o", "json"])] {
            let file = GoldenFile(name: name, arguments: ["offsets", "--lag", "--config", "shop.yaml"] + options)
            let run = try CheckpointBinary.run(file.arguments, in: shop.directory.path)
            let found = file.text(
                of: ToolRun(
                    status: run.status, output: run.output.replacing(broker.bootstrapServers, with: "127.0.0.1:9092"), errors: run.errors))
            #expect(try file.expected(or: found) == found)
        }
        #expect(try lag(of: shop, broker, ref: "1").facts.contains("\"lag\":19"))
    }

    /// States of earlier versions don't say which topic a stage reads.
    @Test func theTopicIsWhatTheStateSaysUnlessTheUserDoes() throws {
        let broker = try ordersBroker(holding: [30, 12])
        let shop = try ShopHistory()
        let arguments = ["offsets", "./state", "--lag", "--brokers", broker.bootstrapServers]
        try shop.changeState("DELETE FROM meta WHERE name LIKE 'topic %'")
        let silent = GoldenFile(name: "offsets-no-topic", arguments: ["offsets", "./state", "--lag", "--brokers", "kafka:9092"])
        let found = silent.text(of: try CheckpointBinary.run(silent.arguments, in: shop.directory.path))
        #expect(try silent.expected(or: found) == found)
        try shop.changeState("INSERT INTO meta (name, value) VALUES ('topic orders', 'shop.orders')")
        let run = try CheckpointBinary.run(arguments, in: shop.directory.path)
        #expect(run.status == 0 && run.output.contains("lag           7\n"), "\(run)")
        try shop.changeState("UPDATE meta SET value = 'shop.returns' WHERE name = 'topic orders'")
        #expect(try CheckpointBinary.run(arguments, in: shop.directory.path).status == 2)
        #expect(try CheckpointBinary.run(arguments + ["--topic", "orders=shop.orders"], in: shop.directory.path).status == 0)
    }

    @Test func aLogThatEndsBeforeWhatWasReadDiffers() throws {
        let found = try lag(of: ShopHistory.shared.get(), try ordersBroker(holding: [20, 12]))
        #expect(found.status == 2)
        #expect(found.rows[0].hasSuffix(#""topic":"shop.orders","logStart":0,"logEnd":20,"lag":null,"standing":"beyond"}"#))
        #expect(found.rows[1].hasSuffix(#""lag":0,"standing":"ok"}"#))
        #expect(found.facts.contains("\"lag\":0"))
    }

    @Test func aPartitionThatIsGoneDiffersAndSoDoesOneThatHasCome() throws {
        let shop = try ShopHistory.shared.get()
        let gone = try lag(of: shop, try ordersBroker(holding: [23]))
        #expect(gone.status == 2)
        #expect(gone.rows[1].hasSuffix(#""topic":"shop.orders","logStart":null,"logEnd":null,"lag":null,"standing":"absent"}"#))
        let grown = try lag(of: shop, try ordersBroker(holding: [23, 12, 5]))
        #expect(grown.status == 2)
        #expect(grown.rows[2].hasPrefix(#"{"stage":"orders","partition":2,"next":null"#))
        #expect(grown.rows[2].hasSuffix(#""logStart":0,"logEnd":5,"lag":null,"standing":"added"}"#))
        let nothing = try lag(of: shop, try DevelopmentBroker())
        #expect(nothing.status == 2)
        #expect(nothing.rows.prefix(2).allSatisfy { $0.hasSuffix(#""standing":"absent"}"#) })
    }

    @Test func recordsThatWereRemovedUnreadDiffer() throws {
        let broker = try ordersBroker(holding: [0, 12])
        // The development broker keeps about 5 MB of a partition.
        try write(60, of: 500_000, to: 0, broker)
        let found = try lag(of: ShopHistory.shared.get(), broker)
        #expect(found.status == 2)
        #expect(found.rows[0].hasSuffix(#""logEnd":60,"lag":37,"standing":"lost"}"#))
        #expect(found.facts.contains("\"lag\":37"))
    }

    @Test func aLeaderThatDoesNotAnswerLeavesItsPartitionsOpen() throws {
        let broker = try ordersBroker(holding: [30, 12], brokers: 2)
        for partition in 0..<2 {
            _ = rd_kafka_mock_partition_set_leader(broker.cluster, "shop.orders", Int32(partition), Int32(1 + partition))
        }
        _ = rd_kafka_mock_broker_set_down(broker.cluster, 2)
        let found = try lag(of: ShopHistory.shared.get(), broker, timeout: "3s")
        #expect(found.status == 3, "\(found.errors)")
        #expect(found.rows[0].hasSuffix(#""lag":7,"standing":"ok"}"#))
        #expect(found.rows[1].hasSuffix(#""lag":null,"standing":"unanswered"}"#))
    }

    @Test func brokersThatNobodyAnswersAtAreAnErrorWithinTheLimit() throws {
        let shop = try ShopHistory.shared.get()
        let begun = ContinuousClock.now
        let arguments = ["offsets", "--lag", "--brokers", "127.0.0.1:\(freePort())", "--topic", "orders=shop.orders", "--timeout", "500ms"]
        let run = try CheckpointBinary.run(arguments + StoreTests.store, in: shop.directory.path)
        #expect(run.status == 1)
        #expect(run.errors.contains("answered within 0.5 seconds") && run.errors.contains("start the brokers"), "\(run.errors)")
        #expect(run.output.isEmpty)
        #expect(ContinuousClock.now - begun < .seconds(20))
    }

    @Test func aDirectoryIsCountedLikeALog() throws {
        let shop = try ShopHistory()
        let topic = shop.directory.file("log/shop.orders")
        try FileManager.default.createDirectory(atPath: topic, withIntermediateDirectories: true)
        try String(repeating: "{}\n", count: 25).write(toFile: topic + "/0.jsonl", atomically: true, encoding: .utf8)
        try (String(repeating: "{}\n", count: 12) + "{").write(toFile: topic + "/1.jsonl", atomically: true, encoding: .utf8)
        try configure("directory: log", as: "directory.yaml", in: shop)
        let arguments = ["offsets", "--lag", "--config", "directory.yaml", "--topic", "orders=shop.orders", "-o", "jsonl"]
        let run = try CheckpointBinary.run(arguments, in: shop.directory.path)
        #expect(run.status == 0, "\(run.errors)")
        let lines = run.output.split(separator: "\n")
        #expect(lines[0].contains(#""input":"log","lag":2"#))
        #expect(lines[1].hasSuffix(#""logStart":0,"logEnd":25,"lag":2,"standing":"ok"}"#))
        #expect(lines[2].hasSuffix(#""logStart":0,"logEnd":12,"lag":0,"standing":"ok"}"#), "half a line is not there yet")
        try FileManager.default.removeItem(atPath: topic)
        #expect(try CheckpointBinary.run(arguments, in: shop.directory.path).status == 2)
    }

    /// What `offsets --lag` says as JSON lines.
    private struct Found {
        let status: Int32
        let facts: String
        let rows: [String]
        let errors: String
    }

    private func lag(of shop: ShopHistory, _ broker: DevelopmentBroker, ref: String = "latest", timeout: String = "30s") throws -> Found {
        let arguments = [
            "offsets", ref, "--lag", "--brokers", broker.bootstrapServers, "--topic", "orders=shop.orders", "--timeout", timeout, "-o",
            "jsonl",
        ]
        let run = try CheckpointBinary.run(arguments + StoreTests.store, in: shop.directory.path)
        let lines = run.output.split(separator: "\n").map(String.init)
        return Found(
            status: run.status, facts: try #require(lines.first, "\(run.errors)"), rows: Array(lines.dropFirst()), errors: run.errors)
    }

    private func configure(_ input: String, as name: String, in shop: ShopHistory) throws {
        let text = "job: {id: shop}\ninput: {\(input)}\nclickhouse: {url: \"http://127.0.0.1:8123\"}\ncheckpoints: {store: store}\n"
        try text.write(toFile: shop.directory.file(name), atomically: true, encoding: .utf8)
    }

    /// A broker whose topic `shop.orders` holds so many records in each partition.
    private func ordersBroker(holding counts: [Int], brokers: Int = 1) throws -> DevelopmentBroker {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "shop.orders", partitions: counts.count)], brokers: brokers)
        for (partition, count) in counts.enumerated() { try write(count, of: 10, to: partition, broker) }
        return broker
    }

    private func write(_ count: Int, of bytes: Int, to partition: Int, _ broker: DevelopmentBroker) throws {
        let properties = ["bootstrap.servers": broker.bootstrapServers, "compression.codec": "none", "linger.ms": "0"]
        let writer = try TopicWriter(
            WriterSettings(properties: properties), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try [UInt8](repeating: UInt8(ascii: "x"), count: bytes).withUnsafeBytes { value in
            for _ in 0..<count { try writer.send(topic: "shop.orders", partition: partition, key: .null, value: ByteView(value)) }
        }
        try writer.flush(timeout: .seconds(30))
    }
}
