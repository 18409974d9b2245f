import Engine

/// Reads a row's fields in the order in which they are checked, and keeps the first rejection.
struct FieldReader {
    /// A text of more bytes than this, unescaped, is not used.
    static let textLimit = 256
    /// An escape is at most six bytes for one: a longer string is too long however it unescapes.
    private static let rawTextLimit = textLimit * 6

    let context: DecodingContext
    private let scratch: ScratchMemory
    /// Times after this one are bad values.
    private let latest: EventTime
    let offset: Int64
    /// Why the row can't be used: what the first failing check said.
    private(set) var rejection: Rejection?

    init(_ context: DecodingContext, scratch: ScratchMemory, latest: EventTime, offset: Int64) {
        self.context = context
        self.scratch = scratch
        self.latest = latest
        self.offset = offset
    }

    // MARK: - What a row has to have

    private mutating func reject(_ reason: StaticString, _ name: StaticString) {
        if rejection == nil { rejection = Rejection(reason, field: name) }
    }

    private mutating func reject(_ value: FieldValue, _ name: StaticString) {
        reject(isUnavailable(value) ? "unavailable" : "bad_value", name)
    }

    private mutating func isThere(_ value: FieldValue, _ name: StaticString) -> Bool {
        guard value.isMissing else { return true }
        reject("missing_field", name)
        return false
    }

    mutating func text(_ value: FieldValue, _ name: StaticString) -> ByteView {
        guard isThere(value, name) else { return .null }
        let text = optionalText(value)
        if text.isNull { reject(value, name) }
        return text
    }

    /// As `text`, of a column that may be an integer: an id.
    mutating func code(_ value: FieldValue, _ name: StaticString) -> ByteView {
        guard isThere(value, name) else { return .null }
        let text = optionalCode(value)
        if text.isNull { reject(value, name) }
        return text
    }

    /// A decimal as a count of hundredths.
    mutating func hundredths(_ value: FieldValue, _ name: StaticString) -> Int64 {
        guard isThere(value, name) else { return 0 }
        return presentHundredths(value, name)
    }

    /// A decimal as a count of hundredths, 0 when it is missing or no number (NaN, infinite).
    mutating func optionalHundredths(_ value: FieldValue, _ name: StaticString) -> Int64 {
        value.isMissing || isUnavailable(value) || isNoNumber(value) ? 0 : presentHundredths(value, name)
    }

    private mutating func presentHundredths(_ value: FieldValue, _ name: StaticString) -> Int64 {
        let read = usableHundredths(value, name)
        if read == nil { reject(value, name) }
        return read ?? 0
    }

    mutating func time(_ value: FieldValue, _ name: StaticString) -> EventTime {
        guard isThere(value, name) else { return .distantPast }
        let read = usableTime(value)
        if read == nil { reject(value, name) }
        // As a count of milliseconds it lies in January or February of 1970, as one of seconds between 2000 and 2106.
        if let read, value.declared.meaning == .none, Timestamp.mayBeSeconds(read, value.kind) {
            context.remark("maybe_seconds", field: name, at: offset)
        }
        return read ?? .distantPast
    }

    /// nil when the value is missing.
    mutating func optionalTime(_ value: FieldValue, _ name: StaticString) -> EventTime? {
        value.isMissing || isUnavailable(value) ? nil : time(value, name)
    }

    // MARK: - What can be used of a value

    /// The text of a string, without the blanks behind it that a column of fixed width has; the null view when it is no string, empty, or
    /// too long.
    func optionalText(_ value: FieldValue) -> ByteView {
        guard value.bytes.count <= FieldReader.rawTextLimit, var text = value.text(scratch) else { return .null }
        while text.count > 0, text[text.count - 1] == 0x20 { text = text.prefix(text.count - 1) }
        return (1...FieldReader.textLimit).contains(text.count) && !context.isUnavailable(text) ? text : .null
    }

    /// As `optionalText`, or an integer's digits: an id, or a code.
    func optionalCode(_ value: FieldValue) -> ByteView {
        switch value.kind {
        case .number: isInteger(value.bytes) && value.bytes.count <= FieldReader.textLimit ? value.bytes : .null
        case .integer: scratch.digits(of: value.integer)
        default: optionalText(value)
        }
    }

    /// As `optionalCode`; an integer has lost the zeros in front, which bring it to `digits` again.
    func optionalCode(_ value: FieldValue, digits: Int) -> ByteView {
        let code = optionalCode(value)
        guard value.kind == .number || value.kind == .integer, !code.isNull, code[0] != UInt8(ascii: "-"), code.count < digits else {
            return code
        }
        let padded = scratch.allocate(digits)
        padded.update(repeating: UInt8(ascii: "0"), count: digits - code.count)
        if let start = code.start { (padded + digits - code.count).update(from: start, count: code.count) }
        return ByteView(start: padded, count: digits)
    }

    private func isInteger(_ number: ByteView) -> Bool {
        var reader = DigitReader(number)
        _ = reader.take(UInt8(ascii: "-"))
        return reader.digits().count > 0 && reader.isAtEnd
    }

    /// A decimal as a count of hundredths; nil when it is missing or not to be used.
    func usableHundredths(_ value: FieldValue, _ name: StaticString) -> Int64? {
        switch value.kind {
        case .number: return Hundredths.read(value.bytes)
        case .string, .escapedString: return value.text(scratch).flatMap { hundredths(text: $0, value.declared, name) }
        case .integer:
            return Hundredths.read(Int128(value.integer), scale: value.declared.meaning == .decimal ? Int(value.declared.scale) : 0)
        case .double:
            guard value.double.isFinite else { return nil }
            return Array("\(value.double)".utf8).withUnsafeBytes { Hundredths.read(ByteView($0)) }
        case .bytes:
            return value.declared.meaning == .decimal ? Hundredths.read(unscaled: value.bytes, scale: Int(value.declared.scale)) : nil
        case .object: return VariableScale.read(value.bytes, scratch)
        case .absent, .null, .true, .false, .array, .record: return nil
        }
    }

    private func hundredths(text: ByteView, _ declared: DeclaredType, _ name: StaticString) -> Int64? {
        if declared.meaning == .decimal { return unscaled(text, Int(declared.scale)) }
        let read = Hundredths.read(text)
        if declared.meaning == .text { return read }
        // Without a schema a number whose length four divides may be either, but for one with a sign that Base64 does not have.
        let mayBeBase64 =
            text.count > 0 && text.count % 4 == 0
            && (read == nil || !text.buffer.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") })
        if let scale = context.preciseScale { return mayBeBase64 ? unscaled(text, scale) : read }
        guard mayBeBase64 else { return read }
        guard read != nil else {
            if Base64.decode(text, scratch) != nil { context.metBase64(name, at: offset) }
            return nil
        }
        return context.mayTakeDigits(name, at: offset) ? read : nil
    }

    private func unscaled(_ text: ByteView, _ scale: Int) -> Int64? {
        Base64.decode(text, scratch).flatMap { Hundredths.read(unscaled: $0, scale: scale) }
    }

    /// nil when the value is missing or not to be used.
    func usableTime(_ value: FieldValue) -> EventTime? {
        let meaning = value.declared.meaning
        let read: EventTime? =
            switch value.kind {
            case .number: signedInteger(value.bytes).flatMap { Timestamp.read(integer: $0, declared: meaning, zone: context.zone) }
            case .integer: Timestamp.read(integer: value.integer, declared: meaning, zone: context.zone)
            case .string, .escapedString:
                value.text(scratch).flatMap { Timestamp.read(text: $0, zone: context.zone, isLocal: meaning == .localText) }
            case .absent, .null, .true, .false, .object, .array, .double, .bytes, .record: nil
            }
        guard let read, read <= latest else { return nil }
        return read
    }

    /// A boolean, 0 or 1, or their texts; nil for anything else.
    func usableFlag(_ value: FieldValue) -> Bool? {
        switch value.kind {
        case .true: return true
        case .false: return false
        case .integer: return value.integer == 1 ? true : value.integer == 0 ? false : nil
        case .number, .string, .escapedString:
            let text = value.kind == .number ? value.bytes : optionalText(value)
            if text == "1" || text == "t" || text == "true" { return true }
            return text == "0" || text == "f" || text == "false" ? false : nil
        case .absent, .null, .object, .array, .double, .bytes, .record: return nil
        }
    }

    /// A non-negative integer, 0 for anything else.
    func optionalCount(_ value: FieldValue) -> UInt64 { usableCount(value) ?? 0 }

    /// A non-negative integer, also as a text; nil for anything else.
    func usableCount(_ value: FieldValue) -> UInt64? {
        switch value.kind {
        case .number: nonNegativeInteger(value.bytes)
        case .integer: UInt64(exactly: value.integer)
        case .string, .escapedString: nonNegativeInteger(optionalText(value))
        case .absent, .null, .true, .false, .object, .array, .double, .bytes, .record: nil
        }
    }

    /// Reads a `jsonb` column, which is a string that holds a JSON object, or the object, or a record. False, and `fields` empty, when it
    /// can't be used.
    @discardableResult
    func json<Fields: RowFields>(_ value: FieldValue, _ fields: inout Fields) -> Bool {
        if value.kind == .record { return context.avro?.read(value, &fields, scratch) ?? false }
        guard let text = value.kind == .object ? value.bytes : value.text(scratch) else { return false }
        if JSONScanner.read(text, &fields, scratch) == .object { return true }
        fields = Fields()
        return false
    }

    /// Whether the value stands for one that the database did not hand over.
    func isUnavailable(_ value: FieldValue) -> Bool {
        switch value.kind {
        case .string, .escapedString: value.text(scratch).map(context.isUnavailable) ?? false
        case .bytes: context.isUnavailable(value.bytes)
        // A list and a map hold the placeholder once.
        case .array: JSONScanner.holdsOnly(value.bytes) { isUnavailable($0) }
        case .object: UnavailableMap.isOne(value.bytes, context, scratch)
        case .absent, .null, .true, .false, .number, .integer, .double, .record: false
        }
    }

    /// Whether the value is a number's NaN or infinity.
    func isNoNumber(_ value: FieldValue) -> Bool {
        if value.kind == .double { return !value.double.isFinite }
        // What begins with a digit is one.
        guard let text = value.text(scratch), text.count > 0, text[0] &- UInt8(ascii: "0") > 9 else { return false }
        if text == "NaN" || text == "Infinity" || text == "-Infinity" || text == "+Infinity" { return true }
        // Debezium's own names for PostgreSQL's.
        return text == "NAN" || text == "POSITIVE_INFINITY" || text == "NEGATIVE_INFINITY"
    }
}

/// A number whose scale comes with it, as Debezium writes a `numeric` without one: `{"scale": 2, "value": "AfQ="}`.
private struct VariableScale: RowFields {
    private var scale = FieldValue.absent
    private var value = FieldValue.absent

    mutating func take(_ key: ByteView, _ value: FieldValue) {
        if key == "scale" { scale = value }
        if key == "value" { self.value = value }
    }

    static func read(_ object: ByteView, _ scratch: ScratchMemory) -> Int64? {
        var fields = VariableScale()
        guard JSONScanner.read(object, &fields, scratch) == .object, fields.scale.kind == .number,
            let scale = signedInteger(fields.scale.bytes), (-127...127).contains(scale),
            let bytes = fields.value.text(scratch).flatMap({ Base64.decode($0, scratch) })
        else { return nil }
        return Hundredths.read(unscaled: bytes, scale: Int(scale))
    }
}

/// A map that holds nothing but the placeholder, as its key and its value.
private struct UnavailableMap: RowFields {
    private var names: [ByteView] = []

    mutating func take(_ key: ByteView, _ value: FieldValue) {
        if names.count < 2 { names.append(key) }
    }

    static func isOne(_ object: ByteView, _ context: DecodingContext, _ scratch: ScratchMemory) -> Bool {
        var fields = UnavailableMap()
        return JSONScanner.read(object, &fields, scratch) == .object && fields.names.count == 1 && context.isUnavailable(fields.names[0])
    }
}

/// A JSON number that is an integer as it is written; nil for any other, and for those beyond 64 bits.
private func signedInteger(_ number: ByteView) -> Int64? {
    guard number.count > 0 else { return nil }
    guard number[0] == UInt8(ascii: "-") else { return nonNegativeInteger(number).flatMap { Int64(exactly: $0) } }
    return nonNegativeInteger(ByteView(start: number.start.map { $0 + 1 }, count: number.count - 1)).flatMap { Int64(exactly: $0) }.map {
        -$0
    }
}

extension ScratchMemory {
    fileprivate func digits(of integer: Int64) -> ByteView {
        let text = Array(String(integer).utf8)
        let bytes = allocate(text.count)
        bytes.update(from: text, count: text.count)
        return ByteView(start: bytes, count: text.count)
    }
}

extension EventTime {
    /// The latest time that a record's fields may hold.
    static func latest(in record: SourceRecord, maxAhead: EventSpan?) -> EventTime {
        guard let maxAhead, let timestamp = record.timestamp else { return .distantFuture }
        return timestamp + maxAhead
    }
}
