import Engine
import Foundation

/// What the clock on the wall says, in UTC.
package struct WallTime: Sendable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static var now: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// `2025-01-15T12:00:00.250Z`
    package var text: String { EventTime(milliseconds: milliseconds).text }

    /// `12:00:00.250`
    package var timeOfDay: String { EventTime(milliseconds: milliseconds).timeOfDay }
}
