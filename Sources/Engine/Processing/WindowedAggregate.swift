/// A processor that adds events up per key and tumbling window, and says something about each window when it closes.
///
/// Windows are `[start, end)`, aligned to 1970. A window closes when its task's watermark reaches its end; an event
/// for a window that is closed already is late.
public protocol WindowedAggregate {
    associatedtype Event: BitwiseCopyable
    associatedtype Record: StateRecord

    /// The name of its state table: stored, unique in its stage, never derived from anything.
    static var name: String { get }
    /// Counted up with every change of `Record`.
    static var version: Int { get }
    /// How state of earlier versions goes on; by default it is refused.
    static var evolution: StateEvolution { get }
    /// What becomes of its records when the stage's topic gets more partitions; by default they go where their keys go.
    static var placement: StatePlacement { get }

    /// The key that the event counts for; nil when it does not count here (and then it can't be late here either).
    func key(of event: Event) -> ByteView?
    /// Adds one event to its key's record in its window.
    mutating func add(_ event: Event, at time: EventTime, to record: inout Record)
    /// Changes what an event that was added has left in its key's record, by an amendment of it; by default amendments change nothing.
    /// Called only while the window is open and the key has a record in it.
    mutating func amend(_ amendment: Event, to record: inout Record)
    /// The window is complete: write rows, send messages. Called once per key and window.
    mutating func close(_ window: Window, key: ByteView, record: inout Record)
}

extension WindowedAggregate {
    public static var evolution: StateEvolution { .none }
    public static var placement: StatePlacement { .moves }
    public mutating func amend(_ amendment: Event, to record: inout Record) {}
}

/// A window of event time, `[start, end)`.
public struct Window: Hashable, Sendable, BitwiseCopyable {
    public let start: EventTime
    public let end: EventTime

    @inlinable
    public init(start: EventTime, end: EventTime) {
        self.start = start
        self.end = end
    }

    /// The window of length `span`, aligned to 1970, that holds `time`.
    @inlinable
    public init(containing time: EventTime, span: EventSpan) {
        start = time - EventSpan(milliseconds: time.milliseconds.floorRemainder(by: span.milliseconds))
        end = start + span
    }
}
