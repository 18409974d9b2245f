/// The table of records that could not be used: each goes there exactly once, with one reason, and never stops a job.
public enum RejectedRecords {
    public static let table = OutputTable(
        "rejected_records", timeColumn: "rejectedAt", orderBy: ["topic", "partition", "offset"], keyColumn: "key",
        columns: [
            OutputColumn("topic", .text), OutputColumn("partition", .count), OutputColumn("offset", .count),
            OutputColumn("reason", .text), OutputColumn("key", .text), OutputColumn("payload", .text),
            OutputColumn("rejectedAt", .time),
        ]
    )

    /// A key and a payload are cut to this many bytes each.
    public static let payloadLimit = 64 << 10

    /// A log's timestamp is whatever its producer said, as are all bytes of a bad record. `rejectedAt` is kept to what
    /// every sink's column of times can hold, 1970 to the end of 2105, or that row would stop the table for ever.
    static func time(of record: SourceRecord) -> EventTime {
        let milliseconds = record.timestamp?.milliseconds ?? 0
        return EventTime(milliseconds: min(max(milliseconds, 0), latestMilliseconds))
    }

    /// 2105-12-31T23:59:59.999Z
    private static let latestMilliseconds: Int64 = 4_291_747_199_999
}

/// Writes the rejected records of one topic that one task meets.
final class RejectionWriter {
    private let rows: RowWriter
    private let topic: [UInt8]
    private var reason = ByteWriter()

    init(rows: RowWriter, topic: String) {
        self.rows = rows
        self.topic = Array(topic.utf8)
    }

    func write(_ record: SourceRecord, of partition: Int, _ rejection: Rejection) {
        reason.removeAll()
        reason.write(raw: ByteView(start: rejection.reason.utf8Start, count: rejection.reason.utf8CodeUnitCount))
        if let field = rejection.field {
            reason.write(byte: UInt8(ascii: ":"))
            reason.write(raw: ByteView(start: field.utf8Start, count: field.utf8CodeUnitCount))
        }
        write(record, of: partition, reason: reason.view)
    }

    /// With a reason that no decoder gave.
    func write(_ record: SourceRecord, of partition: Int, reason: ByteView) {
        rows.begin()
        topic.withUnsafeBytes { rows.text("topic", ByteView($0)) }
        rows.count("partition", UInt64(partition))
        rows.count("offset", UInt64(record.offset))
        rows.text("reason", reason)
        rows.text("key", record.key.prefix(RejectedRecords.payloadLimit))
        rows.text("payload", record.value.prefix(RejectedRecords.payloadLimit))
        rows.time("rejectedAt", RejectedRecords.time(of: record))
        rows.end()
    }
}
