import Engine

/// Fields of a reference row: one that is missing gets its default, one that the database did not hand over stays as it is held, and
/// one that can't be used is noted, and has its default.
extension FieldReader {
    /// Why a needed value that gave nothing can't be used.
    func defect(of value: FieldValue, _ name: StaticString) -> Rejection {
        Rejection(value.isMissing ? "missing_field" : isUnavailable(value) ? "unavailable" : "bad_value", field: name)
    }

    func fill(_ field: inout TextField, with value: FieldValue, _ name: StaticString) {
        fill(&field, with: value, name, optionalText(value), "a text of 1 to 256 bytes")
    }

    /// A text or an integer.
    func fill(code field: inout TextField, with value: FieldValue, _ name: StaticString) {
        fill(&field, with: value, name, optionalCode(value), "a text of 1 to 256 bytes, or an integer")
    }

    /// A text, or an integer that has lost the zeros in front of so many digits.
    func fill(code field: inout TextField, digits: Int, with value: FieldValue, _ name: StaticString) {
        fill(&field, with: value, name, optionalCode(value, digits: digits), "a text of 1 to 256 bytes, or an integer")
    }

    private func fill(_ field: inout TextField, with value: FieldValue, _ name: StaticString, _ text: ByteView, _ expected: StaticString) {
        if text.isNull, isUnavailable(value) { return }
        if text.isNull, !value.isMissing, !isBlank(value) { note(value, name, expected) }
        field.set(text)
    }

    private func isBlank(_ value: FieldValue) -> Bool {
        (value.kind == .string || value.kind == .escapedString) && value.bytes.buffer.allSatisfy { $0 == 0x20 }
    }

    /// False when the value can't be used.
    @discardableResult
    func fill(_ flag: inout Bool, with value: FieldValue, default standard: Bool, _ name: StaticString) -> Bool {
        let read = usableFlag(value)
        if read == nil, isUnavailable(value) { return true }
        flag = read ?? standard
        guard read == nil, !value.isMissing else { return true }
        note(value, name, "true, false, 1, 0, t or f")
        return false
    }

    /// In hundredths, 0 by default. False when the value can't be used.
    @discardableResult
    func fill(hundredths amount: inout Int64, with value: FieldValue, _ name: StaticString) -> Bool {
        let read = usableHundredths(value, name)
        if read == nil, isUnavailable(value) { return true }
        amount = read ?? 0
        guard read == nil, !value.isMissing, !isNoNumber(value) else { return true }
        note(
            value, name,
            "a decimal: its digits (decimal.handling.mode=string), or Base64 with input.decimals: precise and input.decimalScale")
        return false
    }

    func note(_ value: FieldValue, _ name: StaticString, _ expected: StaticString) {
        context.fieldDefects.append(FieldDefect(Rejection("bad_value", field: name), found: value.kind.form, expected: expected))
    }
}

extension FieldValue.Kind {
    /// What it is, for a message.
    fileprivate var form: StaticString {
        switch self {
        case .absent, .null: "null"
        case .true, .false: "a boolean"
        case .number, .integer, .double: "a number"
        case .string, .escapedString: "a text"
        case .object: "an object"
        case .record: "a record"
        case .array: "a list"
        case .bytes: "bytes"
        }
    }
}
