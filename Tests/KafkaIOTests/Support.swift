import CRdKafka
import Engine
import Foundation
import Logging
import TestSupport

@testable import KafkaIO

let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A record as a test keeps it.
struct SeenRecord: Hashable {
    let offset: Int64
    let timestamp: Int64?
    let key: String?
    let value: String?

    init(_ record: SourceRecord) {
        offset = record.offset
        timestamp = record.timestamp?.milliseconds
        key = record.key.isNull ? nil : record.key.text
        value = record.value.isNull ? nil : record.value.text
    }

    /// As the state would keep it; of valid UTF-8 only.
    var fingerprint: RecordFingerprint {
        Array((key ?? "").utf8).withUnsafeBytes { keyBytes in
            Array((value ?? "").utf8).withUnsafeBytes { valueBytes in
                RecordFingerprint(
                    of: SourceRecord(
                        offset: offset, timestamp: timestamp.map { EventTime(milliseconds: $0) }, key: ByteView(keyBytes),
                        value: ByteView(valueBytes)))
            }
        }
    }
}

/// Everything that a reader handed over, by partition.
struct Seen {
    var records: [TopicPartition: [SeenRecord]] = [:]
    /// The `next` of each end event, in order.
    var ends: [TopicPartition: [Int64]] = [:]

    var total: Int { records.values.reduce(0) { $0 + $1.count } }
    func values(_ partition: TopicPartition) -> [String] { (records[partition] ?? []).map { $0.value ?? "null" } }
    func offsets(_ partition: TopicPartition) -> [Int64] { (records[partition] ?? []).map(\.offset) }

    mutating func take(_ event: SourceEvent) {
        switch event {
        case .records(let partition, let buffer): records[partition, default: []] += buffer.map(SeenRecord.init)
        case .end(let partition, let next): ends[partition, default: []].append(next)
        }
    }

    mutating func poll(_ reader: any RecordReader, maximumRecords: Int = 1000) throws {
        try reader.poll(maximumRecords: maximumRecords, timeout: .milliseconds(50)) { take($0) }
    }

    /// Reads until each of the partitions has told of its end at least once more.
    mutating func readToEnds(_ reader: any RecordReader, of partitions: [TopicPartition], maximumRecords: Int = 1000) throws {
        let before = ends
        try waitUntil("the ends of \(partitions)") {
            var known: Int
            repeat {
                known = total
                try poll(reader, maximumRecords: maximumRecords)
            } while total > known
            return partitions.allSatisfy { (ends[$0]?.count ?? 0) > (before[$0]?.count ?? 0) }
        }
    }
}

func partitions(_ topic: String, _ count: Int) -> [TopicPartition] {
    (0..<count).map { TopicPartition(topic: topic, partition: $0) }
}

extension DevelopmentBroker {
    func settings(
        start: KafkaSettings.Start = .earliest, reachLimit: Duration = .seconds(30), lagInterval: Duration = .milliseconds(100),
        _ properties: [String: String] = [:]
    ) -> KafkaSettings {
        KafkaSettings(
            properties: properties.merging(["bootstrap.servers": bootstrapServers, "fetch.wait.max.ms": "20"]) { own, _ in own },
            defaultGroup: "job", start: start, reachLimit: reachLimit, lagInterval: lagInterval)
    }

    func source(_ settings: KafkaSettings? = nil) throws -> KafkaSource {
        try KafkaSource(settings ?? self.settings(), logger: quietLogger)
    }

    func writer(_ properties: [String: String] = [:]) throws -> TopicWriter {
        try TopicWriter(
            WriterSettings(properties: properties.merging(["bootstrap.servers": bootstrapServers]) { own, _ in own }), logger: quietLogger)
    }

    /// Writes values to one partition and waits for them to be there.
    func write(_ values: [String], to partition: TopicPartition, with writer: TopicWriter? = nil) throws {
        let writer = try writer ?? self.writer()
        for value in values { try writer.send(partition, value) }
        try writer.flush(timeout: .seconds(30))
    }

    /// Commits a group's offset of a topic's first partition, as a ledger's transaction would.
    func commit(_ metadata: String, offset: Int64, of topic: String, group: String) throws {
        let client = try KafkaClient(
            .consumer, properties: ["bootstrap.servers": bootstrapServers, "group.id": group], logger: quietLogger)
        let list = PartitionList([TopicPartition(topic: topic, partition: 0): offset])
        list.handle.pointee.elems[0].metadata = UnsafeMutableRawPointer(strdup(metadata))
        list.handle.pointee.elems[0].metadata_size = metadata.utf8.count
        let code = rd_kafka_commit(client.handle, list.handle, 0)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw SourceError(.bug, "the offset was not committed: \(text(of: code))") }
    }

    func setDown() { _ = rd_kafka_mock_broker_set_down(cluster, -1) }
    func setUp() { _ = rd_kafka_mock_broker_set_up(cluster, -1) }
}

extension TopicWriter {
    func send(_ partition: TopicPartition, _ value: String, key: String? = nil, timestamp: Int64? = nil) throws {
        var (value, key) = (value, key ?? "")
        try value.withUTF8 { valueBytes in
            try key.withUTF8 { keyBytes in
                let keyView = keyBytes.isEmpty ? ByteView.null : ByteView(UnsafeRawBufferPointer(keyBytes))
                try send(
                    topic: partition.topic, partition: partition.partition, key: keyView,
                    value: ByteView(UnsafeRawBufferPointer(valueBytes)),
                    timestamp: timestamp.map { EventTime(milliseconds: $0) })
            }
        }
    }
}

/// Opens a source and makes one reader of all the partitions.
func openReader(_ source: any RecordSource, _ assignments: [TopicPartition: SourcePosition?]) throws -> any RecordReader {
    try source.open(assignments.map { SourceAssignment(partition: $0.key, position: $0.value) })
    return try source.makeReader(of: assignments.keys.sorted())
}

func fresh(_ partitions: [TopicPartition]) -> [TopicPartition: SourcePosition?] {
    Dictionary(uniqueKeysWithValues: partitions.map { ($0, .none) })
}

/// The error's text, for tests of what an error says.
func message(of body: () throws -> Void) -> String {
    do {
        try body()
        return "no error"
    } catch {
        return "\(error)"
    }
}
