import Engine
import Foundation

/// What the clock on the wall says, in UTC.
public struct WallTime: Sendable {
    public let milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public static var now: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// `2025-01-15T12:00:00.250Z`
    public var text: String { EventTime(milliseconds: milliseconds).text }

    /// `12:00:00.250`
    public var timeOfDay: String { EventTime(milliseconds: milliseconds).timeOfDay }
}
