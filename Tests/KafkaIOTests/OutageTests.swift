import CRdKafka
import Engine
import Foundation
import TestSupport
import Testing

@testable import KafkaIO

@Suite("Outages and lag") struct OutageTests {
    @Test("a broker that goes away and comes back costs no record and repeats none")
    func outage() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 4)])
        let all = partitions("t", 4)
        let writer = try broker.writer()
        for index in 0..<4000 { try writer.send(all[index % 4], "\(index)") }
        try writer.flush(timeout: .seconds(30))
        let source = try broker.source(broker.settings(["queued.min.messages": "100"]))
        let reader = try openReader(source, fresh(all))
        var seen = Seen()
        try waitUntil("some records") {
            try seen.poll(reader, maximumRecords: 50)
            return seen.total > 100
        }
        broker.setDown()
        #expect(source.ends(of: all, timeout: .milliseconds(300)).isEmpty)
        for _ in 0..<10 { try seen.poll(reader, maximumRecords: 50) }
        broker.setUp()
        for index in 4000..<8000 { try writer.send(all[index % 4], "\(index)") }
        try writer.flush(timeout: .seconds(30))
        try waitUntil("all records") {
            try seen.poll(reader)
            return seen.total >= 8000
        }
        for partition in all { #expect(seen.values(partition) == (0..<2000).map { "\($0 * 4 + partition.partition)" }) }
        try waitUntil("the leaders to answer") { source.ends(of: all, timeout: .seconds(1)).count == 4 }
        #expect(source.ends(of: all, timeout: .seconds(1)).values.allSatisfy { $0 == 2000 })
    }

    @Test("64 partitions of brokers that are down cost one time-out, not 64")
    func endsOfUnreachableBrokers() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 64)], brokers: 3)
        let all = partitions("t", 64)
        let source = try broker.source()
        try source.open(all.map { SourceAssignment(partition: $0, position: nil) })
        #expect(source.ends(of: all, timeout: .seconds(10)).count == 64)
        broker.setDown()
        let begun = ContinuousClock.now
        #expect(source.ends(of: all, timeout: .milliseconds(500)).isEmpty)
        #expect(ContinuousClock.now - begun < .seconds(5))
    }

    @Test("partitions whose leader answers have their ends when another leader is down")
    func endsOfSomeLeaders() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 6)], brokers: 3)
        let all = partitions("t", 6)
        for partition in all {
            _ = rd_kafka_mock_partition_set_leader(broker.cluster, "t", Int32(partition.partition), Int32(1 + partition.partition % 3))
        }
        let source = try broker.source()
        try source.open(all.map { SourceAssignment(partition: $0, position: nil) })
        #expect(source.ends(of: all, timeout: .seconds(10)).count == 6)
        _ = rd_kafka_mock_broker_set_down(broker.cluster, 2)
        let answered = all.filter { $0.partition % 3 != 1 }
        try waitUntil("the other leaders' answers alone") { source.ends(of: all, timeout: .milliseconds(500)).keys.sorted() == answered }
        let bounds = try KafkaLogs(properties: ["bootstrap.servers": broker.bootstrapServers]).bounds(
            of: ["t", "absent"], within: .seconds(2))
        #expect(bounds.keys.sorted() == all)
        for partition in all { #expect(bounds[partition] == (answered.contains(partition) ? .known(start: 0, end: 0) : .unanswered)) }
    }

    @Test("the group's committed offsets follow what is reported, under the default group or the user's own")
    func lag() throws {
        for (properties, group) in [([:], "job"), (["group.id": "mine"], "mine")] {
            let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 2)])
            let all = partitions("t", 2)
            try broker.write(["a", "b", "c"], to: all[0])
            let source = try broker.source(broker.settings(properties))
            _ = try openReader(source, fresh(all))
            try waitUntil("the commit in group \(group)") {
                source.report([all[0]: 2, all[1]: 0])
                return try committed(broker, group, all) == [all[0]: 2, all[1]: 0]
            }
        }
    }

    @Test("what was reported last is committed when the source ends, however short the time since the last commit")
    func lagAtTheEnd() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 1)])
        let all = partitions("t", 1)
        try broker.write(["a", "b", "c"], to: all[0])
        do {
            let source = try broker.source(broker.settings(lagInterval: .seconds(3600)))
            _ = try openReader(source, fresh(all))
            source.report([all[0]: 1])
            try waitUntil("the first commit") { try committed(broker, "job", all) == [all[0]: 1] }
            source.report([all[0]: 3])
        }
        try waitUntil("the last commit") { try committed(broker, "job", all) == [all[0]: 3] }
    }

    @Test("a source ends soon while its brokers are down, with commits that were never answered")
    func endWhileDown() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 4)])
        let all = partitions("t", 4)
        var source: KafkaSource? = try broker.source()
        var reader: (any RecordReader)? = try source.map { try openReader($0, fresh(all)) }
        var seen = Seen()
        if let reader { try seen.readToEnds(reader, of: all) }
        broker.setDown()
        try waitUntil("the outage to be noticed") { source?.ends(of: all, timeout: .milliseconds(100)).isEmpty ?? true }
        source?.report([all[0]: 0])
        source?.report([all[1]: 0])
        let begun = ContinuousClock.now
        reader = nil
        source = nil
        #expect(ContinuousClock.now - begun < .seconds(15))
        #expect(reader == nil && source == nil)
    }

    @Test("a topic that is gone, by two answers, stops the reader; a single wrong answer does not")
    func topicGone() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 2)])
        let all = partitions("t", 2)
        try broker.write(["a"], to: all[0])
        let source = try broker.source(broker.settings(["topic.metadata.refresh.interval.ms": "200"]))
        let reader = try openReader(source, fresh(all))
        let queue = try #require((reader as? KafkaReader)?.consumption.queue)
        var seen = Seen()
        try seen.readToEnds(reader, of: all)

        let gone = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
        rd_kafka_mock_topic_set_error(broker.cluster, "t", gone)
        // Not polled until the wrong answer is taken back: the reader's own question then gets the right one.
        try waitUntil("librdkafka to say so") { rd_kafka_queue_length(queue) > 0 }
        rd_kafka_mock_topic_set_error(broker.cluster, "t", RD_KAFKA_RESP_ERR_NO_ERROR)
        try seen.poll(reader)
        try broker.write(["b"], to: all[0])
        try waitUntil("reading to go on") {
            try seen.poll(reader)
            return seen.values(all[0]) == ["a", "b"]
        }

        rd_kafka_mock_topic_set_error(broker.cluster, "t", gone)
        var error = ""
        try waitUntil("the reader to stop") {
            error = message { try seen.poll(reader) }
            return error != "no error"
        }
        #expect(error.contains("t[0] can't be read any more"))
        #expect(error.contains("topic t does not exist"))
    }

    private func committed(_ broker: DevelopmentBroker, _ group: String, _ partitions: [TopicPartition]) throws -> [TopicPartition: Int64] {
        let client = try KafkaClient(.consumer, properties: broker.settings(["group.id": group]).consumerProperties(), logger: quietLogger)
        let list = PartitionList(Dictionary(uniqueKeysWithValues: partitions.map { ($0, -1001) }))
        guard rd_kafka_committed(client.handle, list.handle, 5000) == RD_KAFKA_RESP_ERR_NO_ERROR else { return [:] }
        return list.offsets()
    }
}
