/// Tells a task's events that come again by their ids.
final class Deduplicator<Event: BitwiseCopyable> {
    let ids: DeduplicationIDs
    private let isOn: Bool
    private let id: (Event) -> ByteView

    init(_ ids: DeduplicationIDs, isOn: Bool, id: @escaping (Event) -> ByteView) {
        self.ids = ids
        self.isOn = isOn
        self.id = id
    }

    func note(_ event: Event, at time: EventTime, watermark: EventTime) throws -> DeduplicationIDs.Verdict {
        isOn ? try ids.note(id(event), at: time, watermark: watermark) : .new
    }
}
