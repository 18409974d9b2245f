import Engine

/// Points in time as Debezium writes them, cut to milliseconds.
enum Timestamp {
    /// 2106-01-01T00:00:00Z: from here on times are refused, because an unsigned count of seconds in 32 bits, as
    /// ClickHouse's DateTime is, ends in that year.
    static let end = EventTime(milliseconds: 4_291_747_200_000)

    /// 2000-01-01T00:00:00Z in seconds: where nothing says an integer's unit, microseconds and nanoseconds are those that lie from here
    /// to `end`. So the far ends that databases write for "never" (9999-12-31, infinity) are taken for no other time in another unit.
    private static let firstGuessed: Int64 = 946_684_800

    // Not `EventTime(iso8601:)`, which is for what people write: this is what every record has, of bytes without an allocation.
    /// `YYYY-MM-DDTHH:MM:SS` (or with a blank for the T), then a point and 1 to 9 decimals or neither, then `Z`, `±HH:MM`, `±HHMM`, or
    /// nothing for a time of `zone`'s clocks (nil: UTC); nil for any other text, for dates that don't exist and for times before 1970
    /// or from 2106 on. `isLocal`: what zone the text names counts for nothing.
    static func read(text: ByteView, zone: ZoneOffsets?, isLocal: Bool = false) -> EventTime? {
        var reader = DigitReader(text)
        guard
            let year = reader.number(digits: 4), reader.take(UInt8(ascii: "-")),
            let month = reader.number(digits: 2), reader.take(UInt8(ascii: "-")),
            let day = reader.number(digits: 2), reader.take(UInt8(ascii: "T")) || reader.take(UInt8(ascii: " ")),
            let hour = reader.number(digits: 2), reader.take(UInt8(ascii: ":")),
            let minute = reader.number(digits: 2), reader.take(UInt8(ascii: ":")),
            let second = reader.number(digits: 2),
            let fraction = fraction(&reader),
            (1...12).contains(month), (1...days(in: month, of: year)).contains(day), hour < 24, minute < 60, second < 60
        else { return nil }
        let isZoneless = reader.isAtEnd
        guard let ahead = isZoneless ? 0 : self.zone(&reader), reader.isAtEnd else { return nil }
        let days = CivilDate.daysSince1970(year: year, month: month, day: day)
        let local = ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + fraction
        if isZoneless || isLocal { return checked(zone?.instant(ofLocal: local) ?? local) }
        return checked(local - ahead * 60_000)
    }

    /// A count of `unit` since 1970, as the record's schema says, or as its size says where there is none: then times of `zone`'s
    /// clocks, as Debezium writes a column without a zone.
    static func read(integer: Int64, declared: DeclaredType.Meaning, zone: ZoneOffsets?) -> EventTime? {
        let milliseconds: Int64
        switch declared {
        case .days:
            guard (0...100_000).contains(integer) else { return nil }
            milliseconds = integer * 86_400_000
        case .milliseconds, .instantMilliseconds: milliseconds = integer
        case .microseconds, .instantMicroseconds: milliseconds = floored(integer, 1000)
        case .nanoseconds, .instantNanoseconds: milliseconds = floored(integer, 1_000_000)
        case .none, .text, .decimal, .localText:
            switch integer {
            case (firstGuessed * 1_000_000_000)...: milliseconds = integer / 1_000_000
            case (firstGuessed * 1_000_000)..<(end.milliseconds * 1000): milliseconds = integer / 1000
            default: milliseconds = integer
            }
        }
        // Far enough from the ends of time that a zone's offset can be added.
        guard (-86_400_000...end.milliseconds + 86_400_000).contains(milliseconds) else { return nil }
        switch declared {
        case .instantMilliseconds, .instantMicroseconds, .instantNanoseconds: return checked(milliseconds)
        default: return checked(zone?.instant(ofLocal: milliseconds) ?? milliseconds)
        }
    }

    /// Whether an integer that was read as milliseconds looks like one of seconds.
    static func mayBeSeconds(_ time: EventTime, _ kind: FieldValue.Kind) -> Bool {
        (kind == .number || kind == .integer) && (firstGuessed..<end.milliseconds / 1000).contains(time.milliseconds)
    }

    private static func floored(_ value: Int64, _ unit: Int64) -> Int64 { value / unit - (value % unit < 0 ? 1 : 0) }

    private static func checked(_ milliseconds: Int64) -> EventTime? {
        let time = EventTime(milliseconds: milliseconds)
        return milliseconds >= 0 && time < end ? time : nil
    }

    /// The milliseconds of a fraction of 0 to 9 decimals.
    @inline(__always)
    private static func fraction(_ reader: inout DigitReader) -> Int64? {
        guard reader.take(UInt8(ascii: ".")) else { return 0 }
        let digits = reader.digits()
        guard (1...9).contains(digits.count) else { return nil }
        var milliseconds: Int64 = 0
        for place in 0..<3 {
            milliseconds = milliseconds &* 10 &+ (place < digits.count ? Int64(digits[place] &- UInt8(ascii: "0")) : 0)
        }
        return milliseconds
    }

    /// The minutes that local time is ahead of UTC.
    @inline(__always)
    private static func zone(_ reader: inout DigitReader) -> Int64? {
        if reader.take(UInt8(ascii: "Z")) { return 0 }
        let isAhead = reader.take(UInt8(ascii: "+"))
        guard isAhead || reader.take(UInt8(ascii: "-")), let hours = reader.number(digits: 2) else { return nil }
        _ = reader.take(UInt8(ascii: ":"))
        guard let minutes = reader.number(digits: 2), hours < 24, minutes < 60 else { return nil }
        return isAhead ? hours * 60 + minutes : -(hours * 60 + minutes)
    }

    @inline(__always)
    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// A JSON number that is an integer as it is written, without fraction and exponent, and not below zero; nil for any
/// other, and for those beyond 64 bits.
func nonNegativeInteger(_ number: ByteView) -> UInt64? {
    var reader = DigitReader(number)
    let isNegative = reader.take(UInt8(ascii: "-"))
    let digits = reader.digits()
    guard reader.isAtEnd, digits.count > 0 else { return nil }
    var integer: UInt64 = 0
    for digit in digits.buffer {
        let (product, productOverflow) = integer.multipliedReportingOverflow(by: 10)
        let (sum, sumOverflow) = product.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
        guard !productOverflow, !sumOverflow else { return nil }
        integer = sum
    }
    return isNegative && integer > 0 ? nil : integer
}
