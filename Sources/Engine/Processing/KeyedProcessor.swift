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

/// Runs a `KeyedProcessor` in a task.
public final class KeyedProcessorRunner<Processor: KeyedProcessor>: EventProcessor {
    public typealias Event = Processor.Event

    @usableFromInline var processor: Processor
    @usableFromInline let state: KeyedState<Processor.Record>
    @usableFromInline var watermark = EventTime.distantPast

    @inlinable
    public init(_ processor: Processor, task: TaskID, cold: any ColdStateReader) {
        self.processor = processor
        let declaration = StateDeclaration(
            table: Processor.name, version: Processor.version, key: .key, hasTimer: true, evolution: Processor.evolution,
            placement: Processor.placement, record: Processor.Record.self
        )
        state = KeyedState(declaration, task: task, cold: cold)
    }

    public var stateTables: [any StateTable] { [state] }
    public var lastOpenWindowEnd: EventTime? { nil }

    @inlinable
    public func process(_ events: UnsafeMutableBufferPointer<TimedEvent<Event>>) throws {
        for index in events.indices {
            if !events[index].isAmendment, let key = processor.key(of: events[index].event) {
                try state.update(key) { keyed in
                    processor.process(events[index].event, at: events[index].time, key: key, state: &keyed)
                }
            }
            watermark = events[index].watermark
            if watermark >= state.nextTimer { try fire() }
        }
    }

    @inlinable
    public func advance(to watermark: EventTime, firingTimers: Bool) throws {
        guard watermark > self.watermark else { return }
        self.watermark = watermark
        if firingTimers && watermark >= state.nextTimer { try fire() }
    }

    public func resume(at watermark: EventTime) { self.watermark = watermark }

    @inlinable
    func fire() throws {
        try state.fireTimers(through: watermark) { time, key, keyed in
            processor.timerFired(at: time, key: key, state: &keyed)
        }
    }
}
