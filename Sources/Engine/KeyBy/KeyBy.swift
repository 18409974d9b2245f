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
