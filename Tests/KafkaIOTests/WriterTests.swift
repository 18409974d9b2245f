import CRdKafka
import Engine
import Foundation
import TestSupport
import Testing

@testable import KafkaIO

@Suite("Writing and loading") struct WriterTests {
    @Test("what brokers don't take within message.timeout.ms is counted and thrown, never forgotten")
    func failedDelivery() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 1)])
        let writer = try broker.writer(["message.timeout.ms": "300"])
        try broker.write(["first"], to: partitions("t", 1)[0], with: writer)
        #expect(writer.delivered == 1)
        broker.setDown()
        for index in 0..<3 { try writer.send(partitions("t", 1)[0], "lost \(index)") }
        let error = message { try writer.flush(timeout: .seconds(20)) }
        #expect(error.contains("3 records could not be delivered to \(broker.bootstrapServers), first to t[0]"))
    }

    @Test("a full queue is waited for up to its limit, which the error names")
    func fullQueue() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 1)])
        broker.setDown()
        let settings = WriterSettings(
            properties: ["bootstrap.servers": broker.bootstrapServers, "queue.buffering.max.messages": "10"],
            queueWaitLimit: .milliseconds(200))
        let writer = try TopicWriter(settings, logger: quietLogger)
        let error = message { for index in 0..<11 { try writer.send(partitions("t", 1)[0], "\(index)") } }
        #expect(error.contains("10 records still wait to be delivered to \(broker.bootstrapServers) after 0.2 seconds"))
    }

    @Test("a flush that takes longer than its limit says how many records wait")
    func flushLimit() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 1)])
        let writer = try broker.writer()
        broker.setDown()
        try writer.send(partitions("t", 1)[0], "waits")
        #expect(message { try writer.flush(timeout: .milliseconds(200)) }.contains("1 records still wait"))
        broker.setUp()
        try writer.flush(timeout: .seconds(30))
        #expect(writer.delivered == 1)
    }

    @Test("a topic is made on first use; a number of partitions that the broker can't give is an error that says the way out")
    func topics() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 3)])
        let writer = try broker.writer()
        #expect(try writer.ensureTopic("t") == 3)
        #expect(try writer.ensureTopic("made") == 4)
        #expect(try writer.ensureTopic("also", partitions: 4) == 4)
        #expect(message { _ = try writer.ensureTopic("more", partitions: 5) }.contains("has 4 partitions, not 5"))
        #expect(message { _ = try writer.ensureTopic("t", partitions: 5) }.contains("tidemark dev --topics t:5"))
    }

    @Test("a directory is loaded line by line, each record in its key's partition, those without a key in 0")
    func load() throws {
        let broker = try DevelopmentBroker(topics: [
            DevelopmentTopic(name: "p.transactions", partitions: 8), DevelopmentTopic(name: "p.merchants", partitions: 2),
        ])
        let directory = try TemporaryDirectory()
        let customers = (0..<40).map { "c-\($0)" }
        var lines = customers.map { Data(#"{"id":"x","customer_id":"\#($0)"}"#.utf8) }
        lines += [
            Data(#"{"op":"c","before":null,"after":{"customer_id":"c-1"}}"#.utf8),
            Data(#"{"schema":{},"payload":{"op":"d","before":{"customer_id":"c-2"},"after":null}}"#.utf8),
            Data(), Data("null".utf8), Data([0x7B, 0xFF, 0xFE, 0x7D]), Data(#"{"customer_id":7}"#.utf8),
        ]
        try Data(lines.joined(separator: [0x0A])).write(to: URL(fileURLWithPath: directory.file("transactions.jsonl")))
        try FileManager.default.createDirectory(atPath: directory.file("merchants"), withIntermediateDirectories: false)
        try Data(#"{"id":"m1"}"#.utf8).write(to: URL(fileURLWithPath: directory.file("merchants/0.jsonl")))
        try Data("{\"id\":\"m2\"}\n".utf8).write(to: URL(fileURLWithPath: directory.file("merchants/1.jsonl")))

        let progress = try DirectoryLoad(directory: directory.path, topicPrefix: "p.").run(with: broker.writer())
        #expect(progress.map(\.topic) == ["p.merchants", "p.transactions"])
        #expect(progress.map(\.records) == [2, 46])
        #expect(progress.map(\.withoutKey) == [0, 3])

        let all = partitions("p.transactions", 8)
        var seen = Seen()
        try seen.readToEnds(openReader(broker.source(), fresh(all)), of: all)
        for customer in customers + ["7"] {
            let expected = Array(customer.utf8).withUnsafeBytes { murmur2Partition(of: ByteView($0), partitions: 8) }
            #expect(seen.records[all[expected]]?.contains { $0.key == customer } == true)
        }
        let unkeyed = (seen.records[all[0]] ?? []).filter { $0.key == nil }
        #expect(unkeyed.map(\.value) == ["", "null", String(decoding: [0x7B, 0xFF, 0xFE, 0x7D] as [UInt8], as: UTF8.self)])
        #expect(seen.total == 46)
    }
}
