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
