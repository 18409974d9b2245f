import CRdKafka
import Engine
import TestSupport
import Testing

@testable import KafkaIO

@Suite("Reading ahead") struct ReadAheadTests {
    /// 64 partitions with batches of 50 records.
    private func filled(records: Int) throws -> (DevelopmentBroker, [TopicPartition]) {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 64)])
        let all = partitions("t", 64)
        let writer = try broker.writer(["batch.num.messages": "50"])
        for index in 0..<records { try writer.send(all[index % 64], "\(index) " + String(repeating: "x", count: 1000)) }
        try writer.flush(timeout: .seconds(60))
        return (broker, all)
    }

    @Test("a reader that is not polled holds no more than the queue's limits and one answer of the broker")
    func bounded() throws {
        let (broker, all) = try filled(records: 64_000)
        let reader = try openReader(broker.source(broker.settings(["queued.max.messages.kbytes": "1024"])), fresh(all))
        let queue = try #require((reader as? KafkaReader)?.consumption.queue)
        var (last, unchanged) = (0, 0)
        // Resolved: no further record for many looks, although there are 64,000.
        try waitUntil("reading ahead to stop") {
            let length = Int(rd_kafka_queue_length(queue))
            unchanged = length == last && length > 0 ? unchanged + 1 : 0
            last = length
            return unchanged > 30
        }
        // The limit's 1024 records of 1 KB, and an answer with one batch of each partition.
        #expect(last <= 1024 + 64 * 50)
    }

    @Test("a reader that is polled is not held up to one queue a second", .timeLimit(.minutes(1)))
    func awake() throws {
        let (broker, all) = try filled(records: 64_000)
        let reader = try openReader(broker.source(broker.settings(["queued.min.messages": "500"])), fresh(all))
        var seen = 0
        let begun = ContinuousClock.now
        try waitUntil("all records") {
            try reader.poll(maximumRecords: 200, timeout: .milliseconds(50)) { event in
                if case .records(_, let records) = event { seen += records.count }
            }
            return seen >= 64_000
        }
        // Unwoken, every 3,200 records (a batch of each partition) would cost up to a second: over half a minute in all.
        #expect(ContinuousClock.now - begun < .seconds(15))
    }

    @Test("what is read ahead is a reader's queue, 8 MiB or 20,000 records, unless the user says otherwise")
    func defaults() throws {
        let plain = KafkaSettings(properties: ["bootstrap.servers": "b:1"], defaultGroup: "job")
        #expect(plain.readAhead.bytes == 8 << 20)
        #expect(plain.readAhead.records == 20_000)
        #expect(try plain.consumerProperties()["fetch.max.bytes"] == "1048576")
        let own = KafkaSettings(
            properties: ["bootstrap.servers": "b:1", "queued.max.messages.kbytes": "64", "message.max.bytes": "9000000"],
            defaultGroup: "job")
        #expect(own.readAhead.bytes == 64 << 10)
        #expect(try own.consumerProperties()["fetch.max.bytes"] == nil)
        // Both sets of properties make a client.
        _ = try KafkaClient(.consumer, properties: plain.consumerProperties(), logger: quietLogger)
        _ = try KafkaClient(.consumer, properties: own.consumerProperties(), logger: quietLogger)
    }
}
