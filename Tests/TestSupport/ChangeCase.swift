import Engine
import Foundation

/// Records of several topics, a line each, in `Tests/Golden/changes`: `topic` without its prefix, `key`, `value`, and where they matter
/// `partition`, `ts` and `headers`.
package enum ChangeCase {
    /// The records by topic and partition.
    package static func records(_ name: String, partitions: Int = 2) throws -> [String: [[TestRecord]]] {
        var topics: [String: [[TestRecord]]] = [:]
        for topic in GoldenCase.streams { topics[topic] = Array(repeating: [], count: partitions) }
        for topic in GoldenCase.referenceTopics { topics[topic] = [[]] }
        for line in try GoldenFile.read("changes/\(name).jsonl").split(separator: UInt8(ascii: "\n")) {
            guard let fields = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any], let topic = fields["topic"] as? String
            else {
                throw GoldenError(description: "\(name): a line is no record")
            }
            let value = try (fields["value"] as? [String: Any]).map { [UInt8](try JSONSerialization.data(withJSONObject: $0)) }
            let headers = (fields["headers"] as? [String: String] ?? [:]).mapValues { Array($0.utf8) }
            let time = (fields["ts"] as? Int).map { EventTime(milliseconds: Int64($0)) }
            let record = TestRecord(key: (fields["key"] as? String).map { Array($0.utf8) }, value: value, headers: headers, timestamp: time)
            topics["fintech.public." + topic]?[fields["partition"] as? Int ?? 0].append(record)
        }
        return topics
    }
}
