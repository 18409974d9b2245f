/// Turns the bytes of a record into an event, or says why that can't be done.
public protocol EventDecoder {
    /// What processors see of a record: numbers and `ByteView`s into the record or into `scratch`, nothing counted.
    associatedtype Event: BitwiseCopyable

    /// Must not fail on any bytes: what can't be used is rejected. Views in the event stay valid until the batch of
    /// records that this one belongs to is done with.
    mutating func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Event>
}

/// What became of a record.
public enum DecodedRecord<Event: BitwiseCopyable> {
    /// An event at its own time, which moves the watermark.
    case event(Event, at: EventTime)
    /// What is to be changed about an event that came before, whose time this is. It moves no watermark, is never late, and is for
    /// windowed processors that still have the event's window, and for them alone (`WindowedAggregate.amend`).
    case amendment(Event, at: EventTime)
    /// A record that isn't meant to be processed; counted under this name in a metric.
    case skipped(StaticString)
    /// A record that can't be used; it goes to the stage's table of rejected records.
    case rejected(Rejection)
}

/// Why a record, or a field of it, can't be used: written as `reason` or `reason:field`.
public struct Rejection: BitwiseCopyable, Sendable {
    public let reason: StaticString
    public let field: StaticString?

    public init(_ reason: StaticString, field: StaticString? = nil) {
        self.reason = reason
        self.field = field
    }

    /// A windowed processor was too late for the record.
    public static var late: Rejection { Rejection("late") }
    /// The record has more bytes than the worker takes.
    public static var tooLarge: Rejection { Rejection("too_large") }
    /// The record's time is further ahead of the worker's clock than records may be.
    public static var aheadOfClock: Rejection { Rejection("ahead_of_clock") }
    /// The record's numbers are not what a stored record may hold (`StateRecord.isSound`).
    public static var outOfBounds: Rejection { Rejection("out_of_bounds") }
}

extension Rejection: Hashable, CustomStringConvertible {
    public var description: String { field.map { "\(reason):\($0)" } ?? "\(reason)" }
    public static func == (left: Rejection, right: Rejection) -> Bool { left.description == right.description }
    public func hash(into hasher: inout Hasher) { hasher.combine(description) }
}
