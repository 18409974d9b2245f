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
    public var text: String {
        let date = CivilDate(daysSince1970: milliseconds.floorDivided(by: 86_400_000))
        return "\(WallTime.padded(date.year, 4))-\(WallTime.padded(date.month, 2))-\(WallTime.padded(date.day, 2))T\(timeOfDay)Z"
    }

    /// `12:00:00.250`
    public var timeOfDay: String {
        let rest = milliseconds.floorRemainder(by: 86_400_000)
        let parts = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { WallTime.padded($0, 2) }
        return "\(parts.joined(separator: ":")).\(WallTime.padded(rest % 1000, 3))"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
