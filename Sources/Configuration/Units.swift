import Engine

/// How texts become values: the units that the configuration knows.
public enum Units {
    /// `500ms`, `30s`, `5m`, `24h`, `30d`: a whole number and its unit, in milliseconds.
    public static func milliseconds(_ text: String) -> Int64? {
        guard let (number, unit) = split(text) else { return nil }
        let factor: Int64
        switch unit {
        case "ms": factor = 1
        case "s": factor = 1000
        case "m": factor = 60_000
        case "h": factor = 3_600_000
        case "d": factor = 86_400_000
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    /// `100B`, `64KiB`, `512MiB`, `2GiB`: a whole number and its unit, in bytes.
    static func bytes(_ text: String) -> Int64? {
        guard let (number, unit) = split(text) else { return nil }
        let shift: Int64
        switch unit {
        case "B": shift = 0
        case "KiB": shift = 10
        case "MiB": shift = 20
        case "GiB": shift = 30
        case "TiB": shift = 40
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        return overflow ? nil : product
    }

    /// Milliseconds as the shortest text that says the same.
    static func duration(milliseconds: Int64) -> String {
        for (unit, factor) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)] as [(String, Int64)]
        where milliseconds >= factor && milliseconds % factor == 0 {
            return "\(milliseconds / factor)\(unit)"
        }
        return "\(milliseconds)ms"
    }

    /// Bytes as the shortest text that says the same.
    static func size(bytes: Int64) -> String {
        for (unit, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] as [(String, Int64)]
        where bytes >= 1 << shift && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(unit)"
        }
        return "\(bytes)B"
    }

    /// Digits, then letters.
    private static func split(_ text: String) -> (Int64, Substring)? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits) else { return nil }
        return (number, text[digits.endIndex...])
    }
}

extension Units {
    /// `2025-01-15`, or `2025-01-15T12:00:00` with an optional fraction of up to 3 digits and `Z` or `±HH:MM`;
    /// without an offset it is UTC.
    static func time(_ text: String) -> EventTime? {
        var scanner = DigitScanner(text)
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
              let day = scanner.number(2), (1...12).contains(month), day >= 1, day <= daysIn(month: month, year: year)
        else { return nil }
        let midnight = CivilDate.daysSince1970(year: year, month: month, day: day) * 86_400_000
        if scanner.isAtEnd { return EventTime(milliseconds: midnight) }
        guard scanner.skip("T") || scanner.skip(" "), let hour = scanner.number(2), scanner.skip(":"),
              let minute = scanner.number(2), scanner.skip(":"), let second = scanner.number(2),
              hour < 24, minute < 60, second < 60
        else { return nil }
        var fraction: Int64 = 0
        if scanner.skip(".") {
            guard let digits = scanner.digits(upTo: 3) else { return nil }
            fraction = digits
        }
        guard let offset = scanner.zone(), scanner.isAtEnd else { return nil }
        return EventTime(milliseconds: midnight + ((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction)
    }

    private static func daysIn(month: Int64, year: Int64) -> Int64 {
        let (nextYear, nextMonth) = month == 12 ? (year + 1, 1) : (year, month + 1)
        return CivilDate.daysSince1970(year: nextYear, month: nextMonth, day: 1) - CivilDate.daysSince1970(year: year, month: month, day: 1)
    }
}

/// Reads the fixed-width numbers of a time.
private struct DigitScanner {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) { rest = Array(text.utf8)[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(_ width: Int) -> Int64? {
        guard rest.count >= width else { return nil }
        var value: Int64 = 0
        for _ in 0..<width {
            let digit = rest.removeFirst()
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - 0x30)
        }
        return value
    }

    /// One to `width` digits as a fraction of 10^`width`.
    mutating func digits(upTo width: Int) -> Int64? {
        var value: Int64 = 0
        var count = 0
        while count < width, let digit = rest.first, (0x30...0x39).contains(digit) {
            value = value * 10 + Int64(digit - 0x30)
            rest.removeFirst()
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in count..<width { value *= 10 }
        return value
    }

    /// Minutes east of Greenwich; 0 at the end of the text.
    mutating func zone() -> Int64? {
        if isAtEnd || skip("Z") { return 0 }
        let sign: Int64
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
        guard let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 60 + minutes)
    }
}
