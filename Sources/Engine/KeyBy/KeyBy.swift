/// Says how a topic's events go on to a stage that is keyed by something else than the topic.
///
/// The tasks of the topic decode and reject; those of the other stage run the processors, as if the topic were keyed
/// by their key. Events of one partition stay in order; those of different ones meet in any.
public protocol KeyBy {
    associatedtype Event: BitwiseCopyable

    /// What `encode` appends. The default is a version 1 that only the job's code knows.
    static var layout: MessageLayout { get }
    /// The key that the event belongs to there.
    func key(of event: Event) -> ByteView
    /// Appends what that stage's decoder reads, beside the key.
    func encode(_ event: Event, into payload: inout ByteWriter)
}

extension KeyBy {
    public static var layout: MessageLayout { MessageLayout(version: 1) }
}

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

/// Sends a task's events on.
final class EventKeyer<Forwarding: KeyBy> {
    private let forwarding: Forwarding
    private let messages: MessageWriter
    private var payload = ByteWriter()

    init(_ forwarding: Forwarding, messages: MessageWriter) {
        self.forwarding = forwarding
        self.messages = messages
    }

    /// `before`: the task's watermark before the first of them.
    func forward(
        _ events: UnsafeMutableBufferPointer<TimedEvent<Forwarding.Event>>, of records: UnsafeBufferPointer<SourceRecord>, before: EventTime
    ) {
        var before = before
        for event in events {
            payload.removeAll()
            KeyedEvent.write(event.isAmendment ? nil : records[Int(event.record)], at: event.time, watermark: before, into: &payload)
            forwarding.encode(event.event, into: &payload)
            messages.send(payload.view, key: forwarding.key(of: event.event))
            before = event.watermark
        }
    }
}
