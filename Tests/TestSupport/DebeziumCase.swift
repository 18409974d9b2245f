import Engine
import Foundation

/// One of the cases in `Tests/Golden/debezium`: what Debezium wrote, and the rows that are right for what happened in the database.
package struct DebeziumCase: Sendable, CustomStringConvertible {
    package let name: String

    package init(_ name: String) { self.name = name }

    package static let all = [
        "base64-digits.precise", "customer-merge-full.key-customer", "end-9999-timestamp.adaptive", "other-types.env",
        "pk-change-recent.env",
        "precise-1-updates.default", "references-precise.refs--and-facts-string", "restart.env--dedup", "session-delete.env",
        "session-delete.unwrap-op", "sessions-by-id-4-partitions.default-key", "status-flow.env", "status-flow.unwrap-noop",
        "string-keys.unwrap-op", "toast-address.env",
    ].map { DebeziumCase($0) }

    package var description: String { name }

    /// An event as the case's file has it.
    private struct Event: Decodable {
        let t: String
        let k: String?
        let v: String?
        let h: [String: String?]?
    }

    /// The records of all topics in their order, by topic and partition: the streams' by murmur2 of their keys, the others' in one.
    package func records() throws -> [String: [[TestRecord]]] {
        let partitions = try self.partitions()
        var topics: [String: [[TestRecord]]] = [:]
        for topic in GoldenCase.streams { topics[topic] = Array(repeating: [], count: partitions) }
        for topic in GoldenCase.referenceTopics { topics[topic] = [[]] }
        for line in try GoldenFile.read("debezium/\(name)/events.jsonl").split(separator: UInt8(ascii: "\n")) {
            let event = try JSONDecoder().decode(Event.self, from: line)
            let record = TestRecord(key: event.k, event.v, headers: (event.h ?? [:]).compactMapValues { $0 })
            let count = topics[event.t]?.count ?? 0
            let partition = (record.key ?? []).withUnsafeBytes { count > 1 ? murmur2Partition(of: ByteView($0), partitions: count) : 0 }
            topics[event.t]?[partition].append(record)
        }
        return topics
    }

    /// How many partitions each stream has.
    package func partitions() throws -> Int {
        let text = String(decoding: try GoldenFile.read("debezium/\(name)/partitions"), as: UTF8.self)
        guard let count = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw GoldenError(description: "\(name): no number of partitions")
        }
        return count
    }

    /// What the case's configuration sets beside the defaults, a `key: value` a line.
    package func settings() throws -> String { String(decoding: try GoldenFile.read("debezium/\(name)/tidemark.yaml"), as: UTF8.self) }

    package func expectedRows(of table: String) throws -> [GoldenRow] {
        try GoldenFile.read("debezium/\(name)/expected/\(table).jsonl").split(separator: UInt8(ascii: "\n")).map {
            try GoldenRow(json: Data($0))
        }
    }
}
