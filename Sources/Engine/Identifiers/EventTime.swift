/// A point in event time: milliseconds since 1970 UTC, taken from records, never from a clock.
@frozen
public struct EventTime: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public var milliseconds: Int64

    @inlinable public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Before every record: the watermark of a task that has seen none.
    public static let distantPast = EventTime(milliseconds: .min)
    /// After every record.
    public static let distantFuture = EventTime(milliseconds: .max)

    @inlinable public static func < (left: EventTime, right: EventTime) -> Bool { left.milliseconds < right.milliseconds }

    /// Saturates at the ends of time, so that subtracting from `distantPast` stays there.
    @inlinable public static func - (time: EventTime, span: EventSpan) -> EventTime {
        let (difference, overflow) = time.milliseconds.subtractingReportingOverflow(span.milliseconds)
        return overflow ? .distantPast : EventTime(milliseconds: difference)
    }

    /// Saturates at the ends of time.
    @inlinable public static func + (time: EventTime, span: EventSpan) -> EventTime {
        let (sum, overflow) = time.milliseconds.addingReportingOverflow(span.milliseconds)
        return overflow ? .distantFuture : EventTime(milliseconds: sum)
    }

    public var description: String {
        switch self {
        case .distantPast: "distant past"
        case .distantFuture: "distant future"
        default: "\(milliseconds) ms"
        }
    }
}

/// A length of event time in milliseconds, never negative.
@frozen
public struct EventSpan: Hashable, Comparable, Sendable, BitwiseCopyable {
    public let milliseconds: Int64

    @inlinable public init(milliseconds: Int64) {
        precondition(milliseconds >= 0, "an event span can't be negative")
        self.milliseconds = milliseconds
    }

    @inlinable public static func seconds(_ count: Int64) -> EventSpan { EventSpan(milliseconds: count * 1000) }
    @inlinable public static func minutes(_ count: Int64) -> EventSpan { .seconds(count * 60) }
    @inlinable public static func hours(_ count: Int64) -> EventSpan { .minutes(count * 60) }
    @inlinable public static func days(_ count: Int64) -> EventSpan { .hours(count * 24) }

    @inlinable public static func < (left: EventSpan, right: EventSpan) -> Bool { left.milliseconds < right.milliseconds }
}
