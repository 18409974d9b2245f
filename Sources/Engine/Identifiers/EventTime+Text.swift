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
    /// Reads what `text` writes, and every other form of `init(iso8601:)`; nil for anything else.
    public init?(text: String) {
        switch text {
        case "distantPast": self = .distantPast
        case "distantFuture": self = .distantFuture
        default: self.init(iso8601: text)
        }
    }

    /// Reads a time as ISO 8601 and RFC 3339 write it; nil for anything else, and for days that don't exist:
    /// - `2025-01-15`: midnight;
    /// - `2025-01-15T12:00`, or a space for the `T`, with `:30` for the seconds, and with `.25` for up to 9 decimals of them, of
    ///   which three count;
    /// - behind it `Z`, `+02:00`, `-02:00`, or nothing, which is UTC too.
    public init?(iso8601 text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard let days = EventTime.days(bytes.prefix(10)) else { return nil }
        let midnight = days * 86_400_000
        guard let separator = bytes.dropFirst(10).first else {
            self.init(milliseconds: midnight)
            return
        }
        guard [UInt8(ascii: "T"), UInt8(ascii: " ")].contains(separator) else { return nil }
        let rest = bytes.dropFirst(11)
        let clock = rest.prefix { !EventTime.zoneSigns.contains($0) }
        guard let time = EventTime.clock(clock), let zone = EventTime.zone(rest[clock.endIndex...]) else { return nil }
        self.init(milliseconds: midnight + time - zone)
    }

    private static let zoneSigns = Array("Z+-".utf8)

    private static func days(_ text: ArraySlice<UInt8>) -> Int64? {
        let parts = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.map(\.count) == [4, 2, 2] else { return nil }
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
        let milliseconds = numbers[0] * 3_600_000 + numbers[1] * 60_000 + (numbers.count == 3 ? numbers[2] * 1000 : 0)
        guard halves.count == 2 else { return milliseconds }
        guard numbers.count == 3, (1...9).contains(halves[1].count), let fraction = number((halves[1] + [48, 48]).prefix(3)),
            number(halves[1]) != nil
        else { return nil }
        return milliseconds + fraction
    }

    /// The milliseconds that local time is ahead of UTC.
    private static func zone(_ text: ArraySlice<UInt8>) -> Int64? {
        guard let sign = text.first else { return 0 }
        let parts = text.dropFirst().split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        if sign == UInt8(ascii: "Z") { return text.count == 1 ? 0 : nil }
        guard parts.map(\.count) == [2, 2], let hours = number(parts[0]), let minutes = number(parts[1]), hours < 24, minutes < 60 else {
            return nil
        }
        return (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -60_000 : 60_000)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }
}
