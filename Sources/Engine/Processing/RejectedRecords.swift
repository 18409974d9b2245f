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
    package static let payloadLimit = 64 << 10

    /// A log's timestamp is whatever its producer said, as are all bytes of a bad record. `rejectedAt` is kept to what
    /// every sink's column of times can hold, 1970 to the end of 2105, or that row would stop the table for ever.
    static func time(of record: SourceRecord) -> EventTime {
        let milliseconds = record.timestamp?.milliseconds ?? 0
        return EventTime(milliseconds: min(max(milliseconds, 0), latestMilliseconds))
    }

    /// 2105-12-31T23:59:59.999Z
    private static let latestMilliseconds: Int64 = 4_291_747_199_999
}
