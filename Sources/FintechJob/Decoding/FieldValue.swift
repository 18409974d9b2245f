import Engine

/// A field's value where it stands in a record: what it is, and its bytes, not copied.
struct FieldValue: BitwiseCopyable {
    enum Kind: UInt8, BitwiseCopyable {
        /// The field did not occur.
        case absent
        case null, `true`, `false`
        /// A number as JSON writes it.
        case number
        /// A string whose bytes are its text.
        case string
        /// A JSON string with at least one escape.
        case escapedString
        /// JSON's, brackets included.
        case object, array
        /// A number in `integer`, of a form that is not text.
        case integer
        /// A number in `double`, of a form that is not text.
        case double
        /// Raw bytes; of a decimal, its unscaled value in two's complement, the greatest byte first.
        case bytes
        /// A record in a record that is not text, of the type `type`, with all its bytes.
        case record
    }

    let kind: Kind
    /// What the record's own schema says of the column.
    var declared = DeclaredType.none
    /// Of a `record`: the number of its type in the schema.
    var type: Int32 = 0
    /// What lies between a string's quotes; the whole text of any other value that is text; raw bytes.
    let bytes: ByteView

    static var absent: FieldValue { FieldValue(kind: .absent, bytes: .null) }
    static func integer(_ value: Int64) -> FieldValue { FieldValue(kind: .integer, bytes: ByteView(start: nil, count: Int(value))) }
    static func double(_ value: Double) -> FieldValue {
        FieldValue(kind: .double, bytes: ByteView(start: nil, count: Int(Int64(bitPattern: value.bitPattern))))
    }

    /// Of a value of the kind `integer`.
    var integer: Int64 { Int64(bytes.count) }
    /// Of a value of the kind `double`.
    var double: Double { Double(bitPattern: UInt64(bitPattern: Int64(bytes.count))) }

    /// Absent, or null.
    var isMissing: Bool { kind == .absent || kind == .null }

    /// The text of a string, unescaped into `scratch` if need be; nil for anything that is no string.
    func text(_ scratch: ScratchMemory) -> ByteView? {
        switch kind {
        case .string: bytes
        case .escapedString: unescapedText(of: bytes, scratch)
        case .absent, .null, .true, .false, .number, .object, .array, .integer, .double, .bytes, .record: nil
        }
    }
}

/// Collects the fields of an object that somebody wants.
protocol RowFields {
    init()
    /// Takes note of a field; called again with the same key, the later value counts.
    mutating func take(_ key: ByteView, _ value: FieldValue)
}

/// Whether `key` is `name`, for a caller that has compared the lengths: with both known to the compiler, a few
/// comparisons of machine words.
@inline(__always)
func isKey(_ key: ByteView, _ name: StaticString) -> Bool {
    assert(key.count == name.utf8CodeUnitCount)
    let (left, right) = (UnsafeRawPointer(key.start.unsafelyUnwrapped), UnsafeRawPointer(name.utf8Start))
    let count = name.utf8CodeUnitCount
    if count >= 8 {
        var offset = 0
        while offset + 8 <= count {
            if word(left, offset) != word(right, offset) { return false }
            offset += 8
        }
        return word(left, count - 8) == word(right, count - 8)
    }
    for offset in 0..<count where left.load(fromByteOffset: offset, as: UInt8.self) != right.load(fromByteOffset: offset, as: UInt8.self) {
        return false
    }
    return true
}

@inline(__always)
private func word(_ pointer: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    pointer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
}
