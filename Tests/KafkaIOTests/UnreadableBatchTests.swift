import CRdKafka
import Engine
import TestSupport
import Testing

@testable import KafkaIO

@Suite("A batch that becomes more than librdkafka takes is no damage, and what stands before and behind it is found")
struct UnreadableBatchTests {
    private let broker: DevelopmentBroker
    private let partition = TopicPartition(topic: "bombs", partition: 0)

    /// Three records, five of 30 MB of spaces in one batch of a few kilobytes, two records.
    init() throws {
        broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: partition.topic, partitions: 1)])
        let writer = try broker.writer([
            "compression.codec": "zstd", "message.max.bytes": "200000000", "queue.buffering.max.kbytes": "400000", "linger.ms": "10000",
            "batch.size": "200000000",
        ])
        try broker.write(["a", "b", "c"], to: partition, with: writer)
        let spaces = [UInt8](repeating: UInt8(ascii: " "), count: 30_000_000)
        try spaces.withUnsafeBytes { bytes in
            for _ in 0..<5 { try writer.send(topic: partition.topic, partition: 0, key: .null, value: ByteView(bytes)) }
        }
        try writer.flush(timeout: .seconds(60))
        try broker.write(["i", "j"], to: partition, with: writer)
    }

    private func reader(_ properties: [String: String] = [:], from next: Int64 = 0) throws -> any RecordReader {
        let source = try broker.source(broker.settings(properties))
        try source.open([SourceAssignment(partition: partition, position: SourcePosition(next: next, last: nil))])
        return try source.makeReader(of: [partition])
    }

    @Test func theGoodRecordsBeforeItComeFirstAndTheErrorNamesTheLimit() throws {
        let reader = try reader()
        var seen = Seen()
        let error = #expect(throws: SourceError.self) {
            try waitUntil("it is met") {
                try seen.poll(reader)
                return false
            }
        }
        #expect(seen.offsets(partition) == [0, 1, 2])
        #expect(error?.kind == .invalid, "it is not damaged")
        let text = error?.message ?? ""
        #expect(text.contains("receive.message.max.bytes, 100000000") && text.contains("tidemark skip bombs 0 3 --reason"), "\(text)")
    }

    /// A limit that was lowered since: the start's look at the record that was read last says so, and not that nobody answers.
    @Test func aStartBehindItNamesTheLimitToo() throws {
        let source = try broker.source(broker.settings())
        let last = RecordFingerprint(offset: 5, timestamp: 0, checksum: 0)
        let error = #expect(throws: SourceError.self) {
            try source.open([SourceAssignment(partition: partition, position: SourcePosition(next: 6, last: last))])
        }
        #expect(error?.kind == .invalid)
        let text = error?.message ?? ""
        #expect(text.contains("bombs[0] holds a batch at offset 5") && text.contains("receive.message.max.bytes, 100000000"), "\(text)")
        #expect(text.contains("set the limits as they were") && !text.contains("tidemark skip"), "\(text)")
    }

    /// One that is not compressed is not handed over either, and no sign that nobody answers.
    @Test func anAnswerThatIsLongerThanTheLimitIsNoBrokerThatIsAway() throws {
        let partition = TopicPartition(topic: "long", partition: 0)
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: partition.topic, partitions: 1)])
        try broker.write([String(repeating: "x", count: 300_000)], to: partition, with: broker.writer(["compression.codec": "none"]))
        let small = [
            "message.max.bytes": "10000", "fetch.max.bytes": "10000", "fetch.message.max.bytes": "10000",
            "receive.message.max.bytes": "20000",
        ]
        let behind = try broker.source(broker.settings(reachLimit: .seconds(2), small))
        let position = SourcePosition(next: 1, last: RecordFingerprint(offset: 0, timestamp: 0, checksum: 0))
        let error = #expect(throws: SourceError.self) { try behind.open([SourceAssignment(partition: partition, position: position)]) }
        #expect(error?.kind == .invalid)
        let text = error?.message ?? ""
        #expect(
            text.contains("answers with records of long[0] from offset 0 on with more bytes than receive.message.max.bytes")
                && !text.contains("no Kafka broker"), "\(text)")
    }

    /// librdkafka says so again after 30 s, which a running reader waits for; an answer that is understood in between is one.
    @Test func anAnswerThatIsTooLongEndsAReaderWhenItStays() {
        let events = ClientEvents(logger: quietLogger)
        let words = "127.0.0.1:9092/1: Receive failed: Invalid response size 300142 (0..20000): increase receive.message.max.bytes"
        events.heardError(RD_KAFKA_RESP_ERR__BAD_MSG, reason: words)
        #expect(events.longAnswer == words && events.lastingLongAnswer == nil)
        events.heardAnswer()
        #expect(events.longAnswer == nil)
        for _ in 0..<2 { events.heardError(RD_KAFKA_RESP_ERR__BAD_MSG, reason: words) }
        #expect(events.lastingLongAnswer == words)
    }

    /// Nothing is passed over in a reference topic, so that is no advice.
    @Test func ofAReferenceTopicTheAdviceIsToHaveItWrittenAnew() throws {
        var settings = broker.settings()
        settings.readsReferences = true
        let source = try broker.source(settings)
        try source.open([SourceAssignment(partition: partition, position: nil)])
        let reader = try source.makeReader(of: [partition])
        let error = #expect(throws: SourceError.self) {
            try waitUntil("it is met") {
                try reader.poll(maximumRecords: 100, timeout: .milliseconds(50)) { _ in }
                return false
            }
        }
        let text = error?.message ?? ""
        #expect(
            text.contains("make the topic anew and have the rows of its table written to it again") && !text.contains("pass over it"),
            "\(text)")
    }

    @Test func aHigherLimitReadsIt() throws {
        let reader = try reader(["receive.message.max.bytes": "300000000"])
        var offsets: [Int64] = []
        var sizes: [Int] = []
        try waitUntil("all is read") {
            try reader.poll(maximumRecords: 100, timeout: .milliseconds(50)) { event in
                guard case .records(_, let records) = event else { return }
                for record in records {
                    offsets.append(record.offset)
                    sizes.append(record.byteCount)
                }
            }
            return offsets.count == 10
        }
        #expect(offsets == Array(0..<10) && sizes[3] == 30_000_000)
    }

    @Test func aLookFindsWhereItBeginsAndEnds() throws {
        let look = try OffsetLook(broker.settings(), at: partition, logger: quietLogger)
        #expect(try look.find(at: 2) == .record(2))
        for offset in [Int64(3), 5, 7] {
            guard case .unreadable(3, let reason) = try look.find(at: offset) else {
                Issue.record("offset \(offset) is not in the batch")
                continue
            }
            #expect(!reason.isEmpty)
            #expect(try look.end(ofBatch: 3, with: offset) == 8)
        }
        #expect(try look.find(at: 8) == .record(8) && look.find(at: 10) == .end)
        let error = #expect(throws: SourceError.self) { try look.find(at: 11) }
        #expect(error?.kind == .missing)
    }
}
