import Foundation

/// Decodes transactions and sessions a second time, slowly and by other means: trees, strings and Foundation's calendar.
enum ReferenceDecoder {
    typealias Row = [String: ReferenceJSON]

    static func transaction(_ value: [UInt8]) -> DecoderOutcome { decode(value, transaction(in:)) }
    static func session(_ value: [UInt8]) -> DecoderOutcome { decode(value, session(in:)) }

    private static func decode(_ value: [UInt8], _ outcome: (Row) -> DecoderOutcome) -> DecoderOutcome {
        if value.isEmpty { return .skipped("null_value") }
        guard let json = ReferenceJSON(value) else {
            return .rejected(String(decoding: value, as: UTF8.self).hasPrefix("Struct{") ? "printed_struct" : "malformed_json")
        }
        if case .text(let text) = json, text.hasPrefix("Struct{") { return .rejected("printed_struct") }
        return decode(json, mayLieUnderSchema: true, outcome)
    }

    private static func decode(_ json: ReferenceJSON, mayLieUnderSchema: Bool, _ outcome: (Row) -> DecoderOutcome) -> DecoderOutcome {
        if case .null = json { return .skipped("null_value") }
        guard case .object(let fields) = json else { return .rejected("malformed_json") }
        if mayLieUnderSchema, fields["schema"] != nil, let payload = fields["payload"] {
            return decode(payload, mayLieUnderSchema: false, outcome)
        }
        if let operation = fields["op"], fields["before"] != nil || fields["after"] != nil || fields["source"] != nil {
            let after = fields["after"] ?? .null
            switch after {
            case .null, .object: break
            default: return .rejected("malformed_json")
            }
            if let reason = skipped(operation) { return .skipped(reason) }
            guard case .object(let row) = after else { return .skipped("null_value") }
            return outcome(row)
        }
        switch fields["__deleted"] {
        case .flag(true), .text("true"): return .skipped("delete")
        default: break
        }
        switch fields["__op"] ?? .null {
        case .null: break
        case let operation: if let reason = skipped(operation) { return .skipped(reason) }
        }
        return outcome(fields)
    }

    private static func skipped(_ operation: ReferenceJSON) -> String? {
        guard case .text(let text) = operation else { return "unknown_operation" }
        return ["c": nil, "r": nil, "u": "update", "d": "delete", "t": "truncate"][text] ?? "unknown_operation"
    }

    /// Reads the fields that must be there into `event`; the rejection of the first that can't be used.
    private static func read(
        _ required: [(column: String, name: String, read: (ReferenceJSON) -> String?)], of row: Row, into event: inout [String: String]
    ) -> DecoderOutcome? {
        for field in required {
            guard let value = row[field.column], !isNull(value) else { return .rejected("missing_field:\(field.column)") }
            guard let shown = field.read(value) else { return .rejected("bad_value:\(field.column)") }
            event[field.name] = shown
        }
        return nil
    }

    private static func session(in row: Row) -> DecoderOutcome {
        var event: [String: String] = [:]
        if let rejection = read(
            [("id", "id", code), ("customer_id", "customer", code), ("started_at", "started", time)], of: row, into: &event)
        {
            return rejection
        }
        let end = row["ended_at"] ?? .null
        guard let ended = isNull(end) ? "-" : time(end) else { return .rejected("bad_value:ended_at") }
        event["ended"] = ended
        for (column, name) in [("session_id", "session"), ("channel", "channel"), ("device_type", "device")] {
            event[name] = row[column].flatMap { column == "session_id" ? code($0) : text($0) } ?? "-"
        }
        event["actions"] = "0"
        switch row["actions_count"] {
        case .number(let digits): if let count = UInt64(digits) { event["actions"] = String(count) }
        case .text(let digits):
            if digits.wholeMatch(of: /-?[0-9]+ */) != nil, let count = UInt64(digits.filter { $0 != " " }) {
                event["actions"] = String(count)
            }
        default: break
        }
        return .event(event)
    }

    private static func transaction(in row: Row) -> DecoderOutcome {
        var event: [String: String] = [:]
        let rejection = read(
            [
                ("id", "id", code), ("customer_id", "customer", code), ("amount", "amount", hundredths), ("created_at", "at", time),
                ("transaction_type", "type", text), ("status", "status", text),
            ], of: row, into: &event)
        if let rejection { return rejection }
        for (column, name) in [("fee_amount", "fee"), ("risk_score", "risk")] {
            let value = row[column] ?? .null
            guard let shown = isNull(value) || isNoNumber(value) ? "0" : hundredths(value) else { return .rejected("bad_value:\(column)") }
            event[name] = shown
        }
        if !["completed", "failed", "pending"].contains(event["status"]) { event["status"] = "other" }
        for (column, name) in [
            ("merchant_id", "merchant"), ("from_account_id", "from"), ("to_account_id", "to"), ("device_fingerprint", "device"),
        ] {
            event[name] = row[column].flatMap { code($0) } ?? "-"
        }
        var location = row["transaction_location"] ?? .null
        if case .text(let inner) = location { location = ReferenceJSON(Array(inner.utf8)) ?? .null }
        for name in ["country", "city"] {
            if case .object(let fields) = location { event[name] = fields[name].flatMap { text($0) } ?? "-" } else { event[name] = "-" }
        }
        return .event(event)
    }

    private static func isNull(_ value: ReferenceJSON) -> Bool {
        if case .null = value { true } else { false }
    }

    private static func isNoNumber(_ value: ReferenceJSON) -> Bool {
        if case .text(let text) = value {
            ["NaN", "Infinity", "-Infinity", "+Infinity", "NAN", "POSITIVE_INFINITY", "NEGATIVE_INFINITY"].contains(text)
        } else {
            false
        }
    }

    private static func text(_ value: ReferenceJSON) -> String? {
        guard case .text(var text) = value else { return nil }
        while text.utf8.last == 0x20 { text = String(decoding: text.utf8.dropLast(), as: UTF8.self) }
        return (1...256).contains(text.utf8.count) && text != "__debezium_unavailable_value" ? text : nil
    }

    private static func code(_ value: ReferenceJSON) -> String? {
        if case .number(let digits) = value { return digits.wholeMatch(of: /-?[0-9]+/) != nil && digits.count <= 256 ? digits : nil }
        return text(value)
    }

    private static func hundredths(_ value: ReferenceJSON) -> String? {
        switch value {
        case .text(let text) where text.wholeMatch(of: /-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil: rounded(text)
        case .number(let text): rounded(text)
        case .object(let fields): unscaled(fields)
        default: nil
        }
    }

    /// `{"scale": 2, "value": "AfQ="}`.
    private static func unscaled(_ fields: Row) -> String? {
        guard case .number(let scaleText) = fields["scale"], let scale = Int(scaleText), (-127...127).contains(scale),
            case .text(let text) = fields["value"], let bytes = Data(base64Encoded: text), bytes.count > 0,
            bytes.base64EncodedString() == text
        else { return nil }
        var magnitude = Decimal(0)
        for byte in bytes { magnitude = magnitude * 256 + Decimal(byte) }
        let isNegative = bytes[0] >= 0x80
        if isNegative {
            var power = Decimal(1)
            for _ in bytes { power *= 256 }
            magnitude = power - magnitude
        }
        return rounded((isNegative ? "-" : "") + magnitude.description + "e\(-scale)")
    }

    /// Shifts the decimal point through a string of digits and looks at what stands behind it.
    private static func rounded(_ text: String) -> String? {
        let isNegative = text.hasPrefix("-")
        let parts = text.lowercased().drop { $0 == "-" }.split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        let fraction = mantissa.count > 1 ? String(mantissa[1]) : ""
        let digits = String(mantissa[0]) + fraction
        if digits.allSatisfy({ $0 == "0" }) { return "0" }
        // A billion stands for exponents that no digits of these texts can make up for.
        let exponent = parts.count > 1 ? Int(parts[1]) ?? (parts[1].hasPrefix("-") ? -1_000_000_000 : 1_000_000_000) : 0
        let point = digits.count - fraction.count + exponent + 2
        if point < 0 { return "0" }
        guard point < digits.count + 40 else { return nil }
        let whole = String(digits.prefix(point)) + String(repeating: "0", count: max(point - digits.count, 0))
        let roundsUp = digits.dropFirst(point).first.map { $0 >= "5" } ?? false
        guard let cents = Decimal(string: whole.isEmpty ? "0" : whole) else { return nil }
        let result = cents + (roundsUp ? 1 : 0)
        guard result < Decimal(100_000_000_000_000) else { return nil }
        return (isNegative && result != 0 ? "-" : "") + result.description
    }

    private static func time(_ value: ReferenceJSON) -> String? {
        switch value {
        case .text(let text): time(text)
        case .number(let text):
            Decimal(string: text).flatMap { number in
                guard text.wholeMatch(of: /-?[0-9]+/) != nil, number >= 0, text.count < 30 else { return nil }
                let isMicroseconds = number >= Decimal(string: "946684800e6")! && number < Decimal(string: "4291747200e6")!
                let divisor = number >= Decimal(string: "946684800e9")! ? 1_000_000 : isMicroseconds ? 1000 : 1
                var quotient = number / Decimal(divisor)
                var cut = Decimal()
                NSDecimalRound(&cut, &quotient, 0, .down)
                return inRange(cut)
            }
        default: nil
        }
    }

    private static func time(_ text: String) -> String? {
        let form =
            /([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):?([0-9]{2}))?/
        guard let match = text.wholeMatch(of: form) else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0)!
        let components = DateComponents(
            calendar: calendar, year: Int(match.1), month: Int(match.2), day: Int(match.3), hour: Int(match.4), minute: Int(match.5),
            second: Int(match.6)
        )
        guard components.isValidDate, let date = components.date else { return nil }
        let zoneHours = match.9.flatMap { Int($0) } ?? 0
        let zoneMinutes = match.10.flatMap { Int($0) } ?? 0
        guard zoneHours < 24, zoneMinutes < 60 else { return nil }
        let ahead = (match.8 == "-" ? -1 : 1) * (zoneHours * 3600 + zoneMinutes * 60)
        let milliseconds = Int(((match.7 ?? "") + "000").prefix(3))!
        return inRange(Decimal(Int(date.timeIntervalSince1970) - ahead) * 1000 + Decimal(milliseconds))
    }

    private static func inRange(_ milliseconds: Decimal) -> String? {
        milliseconds >= 0 && milliseconds < Decimal(4_291_747_200_000) ? milliseconds.description : nil
    }
}
