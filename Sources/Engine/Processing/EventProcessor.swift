/// An event with what the task knows about it.
@usableFromInline package struct TimedEvent<Event: BitwiseCopyable>: BitwiseCopyable {
    @usableFromInline package var event: Event
    @usableFromInline package var time: EventTime
    /// The task's watermark after this event.
    @usableFromInline package var watermark: EventTime
    /// The record's place in its batch.
    @usableFromInline package var record: Int32
    /// Set by a windowed processor that was too late for the event.
    @usableFromInline package var isLate: Bool
    /// Set by a windowed processor whose window is not closed for the amendment, and has no record of its key.
    @usableFromInline package var hasNoRecord: Bool
    /// No event of its own, but a change of one that came before.
    @usableFromInline package let isAmendment: Bool

    @inlinable
    init(event: Event, time: EventTime, watermark: EventTime, record: Int32, isAmendment: Bool = false) {
        self.event = event
        self.time = time
        self.watermark = watermark
        self.record = record
        self.isAmendment = isAmendment
        isLate = false
        hasNoRecord = false
    }
}

/// A processor as its task drives it, a batch of events at a time. `WindowedProcessor` and `KeyedProcessorRunner` are
/// the two kinds; jobs write `WindowedAggregate`s and `KeyedProcessor`s.
@usableFromInline package protocol EventProcessor<Event>: AnyObject {
    associatedtype Event: BitwiseCopyable
    var stateTables: [any StateTable] { get }
    /// Processes events in log order, each before the watermark that it brings.
    func process(_ events: UnsafeMutableBufferPointer<TimedEvent<Event>>) throws
    /// Closes windows up to `watermark` and, unless the run is ending, fires timers up to it.
    func advance(to watermark: EventTime, firingTimers: Bool) throws
    /// The watermark that the durable state holds; called once, before anything is processed.
    func resume(at watermark: EventTime) throws
    /// The end of the last window still open; nil when none is.
    var lastOpenWindowEnd: EventTime? { get }
}
