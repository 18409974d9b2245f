import Engine

/// Reads a row's fields in the order in which they are checked, and keeps the first rejection.
struct FieldReader {
    /// A text of more bytes than this, unescaped, is not used.
    static let textLimit = 256
    /// An escape is at most six bytes for one: a longer string is too long however it unescapes.
    private static let rawTextLimit = textLimit * 6

    private let scratch: ScratchMemory
    /// Times after this one are bad values.
    private let latest: EventTime
    /// Why the row can't be used: what the first failing check said.
    private(set) var rejection: Rejection?

    init(scratch: ScratchMemory, latest: EventTime) {
        self.scratch = scratch
        self.latest = latest
    }

    private mutating func reject(_ reason: StaticString, _ name: StaticString) {
        if rejection == nil { rejection = Rejection(reason, field: name) }
    }

    private mutating func isThere(_ value: JSONValue, _ name: StaticString) -> Bool {
        guard value.isMissing else { return true }
        reject("missing_field", name)
        return false
    }

    mutating func text(_ value: JSONValue, _ name: StaticString) -> ByteView {
        guard isThere(value, name) else { return .null }
        let text = optionalText(value)
        if text.isNull { reject("bad_value", name) }
        return text
    }

    /// Why a needed value that gave nothing can't be used.
    func defect(of value: JSONValue, _ name: StaticString) -> Rejection {
        Rejection(value.isMissing ? "missing_field" : "bad_value", field: name)
    }

    /// The null view when the value is no string, empty, or too long.
    func optionalText(_ value: JSONValue) -> ByteView {
        guard value.bytes.count <= FieldReader.rawTextLimit, let text = value.text(scratch) else { return .null }
        return (1...FieldReader.textLimit).contains(text.count) ? text : .null
    }

    /// A decimal as a count of hundredths.
    mutating func hundredths(_ value: JSONValue, _ name: StaticString) -> Int64 {
        guard isThere(value, name) else { return 0 }
        return presentHundredths(value, name)
    }

    /// A decimal as a count of hundredths, 0 when it is missing.
    mutating func optionalHundredths(_ value: JSONValue, _ name: StaticString) -> Int64 {
        value.isMissing ? 0 : presentHundredths(value, name)
    }

    private mutating func presentHundredths(_ value: JSONValue, _ name: StaticString) -> Int64 {
        let read = usableHundredths(value)
        if read == nil { reject("bad_value", name) }
        return read ?? 0
    }

    /// A decimal as a count of hundredths; nil when it is missing or not to be used.
    func usableHundredths(_ value: JSONValue) -> Int64? {
        value.kind == .number ? Hundredths.read(number: value.bytes) : value.text(scratch).flatMap { Hundredths.read(text: $0) }
    }

    mutating func time(_ value: JSONValue, _ name: StaticString) -> EventTime {
        guard isThere(value, name) else { return .distantPast }
        let read = usableTime(value)
        if read == nil { reject("bad_value", name) }
        return read ?? .distantPast
    }

    /// nil when the value is missing or not to be used.
    func usableTime(_ value: JSONValue) -> EventTime? {
        let read = value.kind == .number ? Timestamp.read(number: value.bytes) : value.text(scratch).flatMap { Timestamp.read(text: $0) }
        guard let read, read <= latest else { return nil }
        return read
    }

    /// nil for anything that is no boolean.
    func usableFlag(_ value: JSONValue) -> Bool? {
        value.kind == .true ? true : value.kind == .false ? false : nil
    }

    /// nil when the value is missing.
    mutating func optionalTime(_ value: JSONValue, _ name: StaticString) -> EventTime? {
        value.isMissing ? nil : time(value, name)
    }

    /// A non-negative integer, 0 for anything else.
    func optionalCount(_ value: JSONValue) -> UInt64 {
        value.kind == .number ? nonNegativeInteger(value.bytes) ?? 0 : 0
    }

    /// Reads a `jsonb` column, which is a string that holds a JSON object, or the object itself. What can't be used
    /// leaves `fields` empty.
    func json<Fields: JSONFields>(_ value: JSONValue, _ fields: inout Fields) {
        guard let text = value.kind == .object ? value.bytes : value.text(scratch) else { return }
        if JSONScanner.read(text, &fields, scratch) == nil { fields = Fields() }
    }
}

extension EventTime {
    /// The latest time that a record's fields may hold.
    static func latest(in record: SourceRecord, maxAhead: EventSpan?) -> EventTime {
        guard let maxAhead, let timestamp = record.timestamp else { return .distantFuture }
        return timestamp + maxAhead
    }
}
