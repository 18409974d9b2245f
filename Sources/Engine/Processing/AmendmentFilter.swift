/// Says which amendments a stage's processors get, by what it noted of the events before. Ask for its state with
/// `TaskSetup.windowedRecords`; hand it over with `StageTask.amending`.
public protocol AmendmentFilter<Event>: AnyObject {
    associatedtype Event: BitwiseCopyable

    /// Takes note of an event that the processors get. `watermark`: the task's before the event.
    func note(_ event: Event, at time: EventTime, watermark: EventTime)
    /// The name under which the amendment is counted as skipped; nil to have the processors look at it.
    func refusal(of amendment: Event, at time: EventTime, watermark: EventTime) -> StaticString?
}

/// Why amendments are skipped, as far as it is the same in every job.
public enum AmendmentRefusal {
    /// A window that the amended event counted in is closed.
    public static let late: StaticString = "late_update"
    /// It has come before, as an event may have.
    public static let repeated: StaticString = "duplicate"
}
