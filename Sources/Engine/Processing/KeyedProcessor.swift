/// A processor that looks at each event in log order with its key's record at hand, and may set one timer per key.
public protocol KeyedProcessor {
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

    /// The key that the event belongs to; nil when it does not concern this processor.
    func key(of event: Event) -> ByteView?
    /// Handles one event. `state.timer` is the key's timer and may be set, moved or cleared.
    mutating func process(_ event: Event, at time: EventTime, key: ByteView, state: inout Keyed<Record>)
    /// The watermark has reached the key's timer, which is cleared already. `time` is what it was set to.
    mutating func timerFired(at time: EventTime, key: ByteView, state: inout Keyed<Record>)
}

extension KeyedProcessor {
    public static var evolution: StateEvolution { .none }
    public static var placement: StatePlacement { .moves }

    /// For processors that set no timers.
    public mutating func timerFired(at time: EventTime, key: ByteView, state: inout Keyed<Record>) {}
}

/// A key's state while a processor has it at hand.
public struct Keyed<Record: StateRecord> {
    public var record: Record
    /// When `timerFired` is due; nil for never.
    public var timer: EventTime?
    /// Set to forget the key altogether.
    public var isRemoved = false

    @usableFromInline
    init(record: Record) { self.record = record }
}
