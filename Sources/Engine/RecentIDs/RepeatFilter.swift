/// Tells a task's events that come again by their ids.
final class RepeatFilter<Event: BitwiseCopyable> {
    let ids: RecentIDs
    private let isOn: Bool
    private let id: (Event) -> ByteView

    init(_ ids: RecentIDs, isOn: Bool, id: @escaping (Event) -> ByteView) {
        self.ids = ids
        self.isOn = isOn
        self.id = id
    }

    func note(_ event: Event, at time: EventTime, watermark: EventTime) throws -> RecentIDs.Verdict {
        isOn ? try ids.note(id(event), at: time, watermark: watermark) : .new
    }
}
