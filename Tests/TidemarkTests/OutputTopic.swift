import Engine
import Foundation
import KafkaIO
import Logging
import TestSupport

/// A Kafka topic of a table's rows, read to its end, in the form of the golden files.
struct OutputTopic {
    private(set) var rows: [GoldenRow] = []
    private(set) var keys: [String?] = []
    /// The partition of each row.
    private(set) var partitions: [Int] = []

    init(_ topic: String, _ table: OutputTable, brokers: String) throws {
        let settings = KafkaSettings(
            properties: ["bootstrap.servers": brokers, "isolation.level": "read_committed"], defaultGroup: "looks")
        let source = try KafkaSource(settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let all = (0..<(try source.partitionCount(of: topic))).map { TopicPartition(topic: topic, partition: $0) }
        try source.open(all.map { SourceAssignment(partition: $0, position: nil) })
        let reader = try source.makeReader(of: all)
        var ended: Set<TopicPartition> = []
        var problem: (any Error)?
        try waitUntil("\(topic) is read to its end") {
            try reader.poll(maximumRecords: 1000, timeout: .milliseconds(50)) { event in
                switch event {
                case .end(let partition, _): ended.insert(partition)
                case .records(let partition, let records):
                    for record in records {
                        do {
                            try take(record, of: partition, table)
                        } catch {
                            problem = problem ?? error
                        }
                    }
                }
            }
            if let problem { throw problem }
            return ended.count == all.count
        }
    }

    private mutating func take(_ record: SourceRecord, of partition: TopicPartition, _ table: OutputTable) throws {
        let row = try GoldenRow(json: Data(record.value.copy()))
        let wanted = Set(table.columns.map(\.name))
        guard Set(row.columns.keys) == wanted else {
            throw GoldenError(description: "\(partition): a row has the columns \(row.columns.keys.sorted())")
        }
        var shown = row
        for column in table.columns where column.type == .time {
            shown.columns[column.name] = try OutputTopic.milliseconds(row.columns[column.name])
        }
        keys.append(record.key.isNull ? nil : record.key.text)
        rows.append(try shown.shownInGolden())
        partitions.append(partition.partition)
        guard let keyColumn = table.keyColumn, case .text(let expected)? = row.columns[keyColumn] else { return }
        guard keys.last! ?? "" == expected else {
            throw GoldenError(description: "\(partition): a row of \(expected) has the key \(keys.last! ?? "none")")
        }
    }

    /// Golden rows have times as milliseconds since 1970.
    private static func milliseconds(_ value: GoldenValue?) throws -> GoldenValue {
        guard case .text(let text)? = value, text.utf8.count == 24, text.hasSuffix("Z"),
            let date = try? Date(
                text, strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
        else { throw GoldenError(description: "\(value.map { "\($0)" } ?? "nothing") is no time with milliseconds in UTC") }
        return .number((date.timeIntervalSince1970 * 1000).rounded())
    }
}
