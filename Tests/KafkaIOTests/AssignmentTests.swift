import CRdKafka
import Engine
import Foundation
import TestSupport
import Testing

@testable import KafkaIO

@Suite("Checks on assignment") struct AssignmentTests {
    private let partition = TopicPartition(topic: "t", partition: 0)
    private let topics = [DevelopmentTopic(name: "t", partitions: 1)]

    /// The state's position after `count` of the values in a log that holds them, made by reading it.
    private func position(after count: Int, in broker: DevelopmentBroker) throws -> SourcePosition {
        var seen = Seen()
        try seen.readToEnds(openReader(broker.source(), fresh([partition])), of: [partition])
        return SourcePosition(next: Int64(count), last: seen.records[partition]?[count - 1].fingerprint)
    }

    private func openingError(_ broker: DevelopmentBroker, _ position: SourcePosition) throws -> String {
        let source = try broker.source()
        return message { try source.open([SourceAssignment(partition: partition, position: position)]) }
    }

    @Test("a topic recreated with other records, as many or more, is refused")
    func recreated() throws {
        let old = try DevelopmentBroker(topics: topics)
        try old.write((0..<50).map { "old \($0)" }, to: partition)
        let position = try position(after: 30, in: old)
        let new = try DevelopmentBroker(topics: topics)
        try new.write((0..<50).map { "new \($0)" }, to: partition)
        let error = try openingError(new, position)
        #expect(error.contains("t[0] was recreated: the record at offset 29 is not the one that was read there"))
        #expect(error.contains("start with an empty state directory"))
    }

    @Test("the same bytes with another timestamp are another record")
    func recreatedWithTheSameBytes() throws {
        let old = try DevelopmentBroker(topics: topics)
        let writer = try old.writer()
        try writer.send(partition, "same", timestamp: 1_700_000_000_000)
        try writer.flush(timeout: .seconds(10))
        let position = try position(after: 1, in: old)
        let new = try DevelopmentBroker(topics: topics)
        let again = try new.writer()
        try again.send(partition, "same", timestamp: 1_700_000_000_001)
        try again.flush(timeout: .seconds(10))
        #expect(try openingError(new, position).contains("was recreated"))
    }

    @Test("a topic shorter than the state's position is refused")
    func shrunken() throws {
        let old = try DevelopmentBroker(topics: topics)
        try old.write((0..<50).map { "v\($0)" }, to: partition)
        let position = try position(after: 30, in: old)
        let new = try DevelopmentBroker(topics: topics)
        try new.write((0..<10).map { "v\($0)" }, to: partition)
        let error = try openingError(new, position)
        #expect(error.contains("t[0] was shrunken or recreated: the state reads on at offset 30, the log ends at 10"))
    }

    @Test("an offset that retention removed before it was read is refused, naming the log's ends")
    func lostBeforeOpening() throws {
        let broker = try DevelopmentBroker(topics: topics)
        let low = try pushOut(broker)
        let error = try openingError(broker, SourcePosition(next: 3, last: nil))
        #expect(error.contains("t[0] has lost records that were not read yet: the state reads on at offset 3, the log holds \(low) to"))
        #expect(error.contains("retention removed \(low - 3)"))
    }

    @Test("a last record that retention removed after it was read is no error")
    func lastRecordGone() throws {
        let broker = try DevelopmentBroker(topics: topics)
        let low = try pushOut(broker)
        let gone = RecordFingerprint(offset: low - 1, timestamp: 1, checksum: 1)
        let source = try broker.source()
        try source.open([SourceAssignment(partition: partition, position: SourcePosition(next: low, last: gone))])
    }

    @Test("an offset that falls off the log while it is read stops the reader, naming offset and ends")
    func lostWhileReading() throws {
        let broker = try DevelopmentBroker(topics: topics)
        try broker.write(["first"], to: partition)
        // Only one batch is read ahead, so that the rest is still to be fetched when it goes.
        let source = try broker.source(broker.settings(["queued.min.messages": "1"]))
        let reader = try openReader(source, fresh([partition]))
        var seen = Seen()
        try seen.readToEnds(reader, of: [partition])
        _ = try pushOut(broker)
        var error = ""
        try waitUntil("the reader to stop") {
            error = message { try seen.poll(reader) }
            return error != "no error"
        }
        #expect(error.contains("t[0] has lost the records at offset"))
        #expect(error.contains("the log holds"))
    }

    @Test("a topic or partition that does not exist is an error, and asking does not create it")
    func missing() throws {
        let broker = try DevelopmentBroker(topics: topics)
        let source = try broker.source()
        let error = message { _ = try source.partitionCount(of: "absent") }
        #expect(error.contains("topic absent does not exist on \(broker.bootstrapServers)"))
        #expect(error.contains("(there: t)"))
        #expect(
            message { try source.open([SourceAssignment(partition: TopicPartition(topic: "absent", partition: 0), position: nil)]) }
                .contains("does not exist"))
        #expect(
            message { try source.open([SourceAssignment(partition: TopicPartition(topic: "t", partition: 1), position: nil)]) }.contains(
                "t[1] does not exist"))
        #expect(message { _ = try broker.source().partitionCount(of: "absent") }.contains("does not exist"))
    }

    @Test("brokers that nobody answers at are an error within the limit, naming them and librdkafka's last word")
    func unreachable() throws {
        let port = freePort()
        let settings = KafkaSettings(properties: ["bootstrap.servers": "127.0.0.1:\(port)"], defaultGroup: "job", reachLimit: .seconds(1))
        let source = try KafkaSource(settings, logger: quietLogger)
        let begun = ContinuousClock.now
        let error = message { _ = try source.partitionCount(of: "t") }
        #expect(ContinuousClock.now - begun < .seconds(10))
        #expect(error.contains("no Kafka broker of 127.0.0.1:\(port) answered within 1.0 seconds"))
        #expect(error.contains("Connection refused"))
    }

    /// Writes until the development broker has dropped the log's beginning; the offset of the first record left.
    private func pushOut(_ broker: DevelopmentBroker) throws -> Int64 {
        let writer = try broker.writer(["compression.codec": "none", "linger.ms": "0"])
        let large = String(repeating: "x", count: 500_000)
        for index in 0..<30 {
            try writer.send(partition, large + "\(index)")
            try writer.flush(timeout: .seconds(10))
        }
        let client = try KafkaClient(.consumer, properties: broker.settings().consumerProperties(), logger: quietLogger)
        let low = try LogEnds(client: client).require(.low, of: [partition], within: Deadline(.seconds(10)))[partition] ?? 0
        #expect(low > 3)
        return low
    }
}

@Suite("Recognising many partitions") struct ManyAssignmentsTests {
    @Test("the last records of 64 partitions are recognised together, not one after the other")
    func together() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 64)], brokers: 3)
        let all = partitions("t", 64)
        let writer = try broker.writer(["batch.num.messages": "100"])
        for index in 0..<64_000 { try writer.send(all[index % 64], "\(index) " + String(repeating: "x", count: 500)) }
        try writer.flush(timeout: .seconds(30))
        var seen = Seen()
        try seen.readToEnds(openReader(broker.source(), fresh(all)), of: all)
        let positions = Dictionary(
            uniqueKeysWithValues: all.map { partition in
                (partition, Optional(SourcePosition(next: 500, last: seen.records[partition]?[499].fingerprint)))
            })
        let source = try broker.source()
        let begun = ContinuousClock.now
        _ = try openReader(source, positions)
        // A second each would be over a minute.
        #expect(ContinuousClock.now - begun < .seconds(15))
    }
}
