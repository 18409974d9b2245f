/// What leads a forwarded event's payload.
///
/// ```
/// watermark of the sender before the event (zigzag, milliseconds)
/// 1 when the record follows, else 0 (1 byte)
/// the record: offset (varint), timestamp (zigzag, Int64.min for none), key and value (each with its varint length)
/// ```
/// The record goes along only when a windowed processor may be too late for it: when the event is older than its sender's
/// watermark. The receiver's never passes any of its senders', so nothing else can be late there, and the few that are
/// can be rejected as what they were.
struct KeyedEvent {
    let watermark: EventTime
    /// The record as it was read, its value cut to what a rejected record shows; nil when it can't be late.
    let record: SourceRecord?

    /// `record`: nil for what is never rejected.
    static func write(_ record: SourceRecord?, at time: EventTime, watermark: EventTime, into writer: inout ByteWriter) {
        writer.write(zigzag: watermark.milliseconds)
        guard let record, time < watermark else {
            writer.write(byte: 0)
            return
        }
        writer.write(byte: 1)
        writer.write(varint: UInt64(record.offset))
        writer.write(zigzag: record.timestamp?.milliseconds ?? .min)
        writer.write(text: record.key)
        writer.write(text: record.value.prefix(RejectedRecords.payloadLimit))
    }

    /// Reads what `write` wrote; what is left is the payload. nil when it is damaged.
    init?(_ reader: inout ByteReader) {
        watermark = EventTime(milliseconds: reader.zigzag())
        let hasRecord = reader.byte()
        if hasRecord == 1 {
            let offset = Int64(truncatingIfNeeded: reader.varint())
            let timestamp = reader.zigzag()
            let key = reader.text()
            record = SourceRecord(
                offset: offset, timestamp: timestamp == .min ? nil : EventTime(milliseconds: timestamp), key: key, value: reader.text()
            )
        } else {
            record = nil
        }
        guard !reader.failed, hasRecord <= 1 else { return nil }
    }
}
