import Engine
import KafkaIO
import Logging
import TestSupport

extension DevelopmentBrokerProcess {
    /// Writes records, by topic and partition, with their keys, headers and times.
    func write(_ topics: [String: [[TestRecord]]]) throws {
        let settings = WriterSettings(properties: ["bootstrap.servers": brokers])
        let writer = try TopicWriter(settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        for (topic, partitions) in topics {
            for (partition, records) in partitions.enumerated() {
                for record in records { try write(record, to: topic, partition, with: writer) }
            }
        }
        try writer.flush(timeout: .seconds(30))
    }

    private func write(_ record: TestRecord, to topic: String, _ partition: Int, with writer: TopicWriter) throws {
        let headers = record.headers.map { (name: $0.key, value: Optional(String(decoding: $0.value, as: UTF8.self))) }
        try (record.key ?? []).withUnsafeBytes { key in
            try (record.value ?? []).withUnsafeBytes { value in
                try writer.send(
                    topic: topic, partition: partition, key: record.key == nil ? .null : ByteView(key),
                    value: record.value == nil ? .null : ByteView(value),
                    timestamp: record.timestamp, headers: headers
                )
            }
        }
    }
}
