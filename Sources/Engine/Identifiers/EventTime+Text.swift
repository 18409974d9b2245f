extension EventTime {
    /// `2025-01-15T12:00:00.250Z`; the ends of time, which what was never set holds, by name.
    public var text: String {
        if self == .distantPast { return "distantPast" }
        if self == .distantFuture { return "distantFuture" }
        let date = CivilDate(daysSince1970: milliseconds.floorDivided(by: 86_400_000))
        return "\(EventTime.padded(date.year, 4))-\(EventTime.padded(date.month, 2))-\(EventTime.padded(date.day, 2))T\(timeOfDay)Z"
    }

    /// `12:00:00.250`
    public var timeOfDay: String {
        let rest = milliseconds.floorRemainder(by: 86_400_000)
        let parts = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { EventTime.padded($0, 2) }
        return "\(parts.joined(separator: ":")).\(EventTime.padded(rest % 1000, 3))"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension EventTime {
    /// Reads `2025-01-15T12:00:00.250Z`; time of day, seconds and their fraction, and the `Z`, may be missing. nil for
    /// anything else.
    public init?(text: String) {
        switch text {
        case "distantPast": self = .distantPast
        case "distantFuture": self = .distantFuture
        default:
            var rest = Array(text.utf8)[...]
            if rest.last == UInt8(ascii: "Z") { rest.removeLast() }
            let halves = rest.split(separator: UInt8(ascii: "T"), omittingEmptySubsequences: false)
            guard (1...2).contains(halves.count), let days = EventTime.days(halves[0]) else { return nil }
            guard let clock = halves.count == 1 ? 0 : EventTime.clock(halves[1]) else { return nil }
            self.init(milliseconds: days * 86_400_000 + clock)
        }
    }

    private static func days(_ text: ArraySlice<UInt8>) -> Int64? {
        let parts = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 3, parts.map(\.count) == [4, 2, 2] else { return nil }
        let numbers = parts.compactMap(number)
        guard numbers.count == 3 else { return nil }
        let days = CivilDate.daysSince1970(year: numbers[0], month: numbers[1], day: numbers[2])
        let date = CivilDate(daysSince1970: days)
        // A day that does not exist comes back as another.
        return [date.year, date.month, date.day] == numbers ? days : nil
    }

    private static func clock(_ text: ArraySlice<UInt8>) -> Int64? {
        let halves = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count) else { return nil }
        let parts = halves[0].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts.allSatisfy({ $0.count == 2 }) else { return nil }
        let numbers = parts.compactMap(number)
        guard numbers.count == parts.count, numbers[0] < 24, numbers.dropFirst().allSatisfy({ $0 < 60 }) else { return nil }
        var milliseconds = numbers[0] * 3_600_000 + numbers[1] * 60_000 + (numbers.count == 3 ? numbers[2] * 1000 : 0)
        if halves.count == 2 {
            guard numbers.count == 3, (1...3).contains(halves[1].count), let fraction = number(halves[1]) else { return nil }
            milliseconds += fraction * [100, 10, 1][halves[1].count - 1]
        }
        return milliseconds
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }
}
