import Engine

/// A JSON value where it stands in a record: what it is, and its bytes, not copied.
struct JSONValue: BitwiseCopyable {
    enum Kind: UInt8, BitwiseCopyable {
        /// The key did not occur.
        case absent
        case null, `true`, `false`, number
        /// A string whose bytes are its text.
        case string
        /// A string with at least one escape.
        case escapedString
        case object, array
    }

    let kind: Kind
    /// What lies between a string's quotes; the whole text of any other value, brackets included.
    let bytes: ByteView

    static var absent: JSONValue { JSONValue(kind: .absent, bytes: .null) }

    /// Absent, or JSON's null.
    var isMissing: Bool { kind == .absent || kind == .null }

    /// The text of a string, unescaped into `scratch` if need be; nil for anything that is no string.
    func text(_ scratch: ScratchMemory) -> ByteView? {
        switch kind {
        case .string: bytes
        case .escapedString: unescapedText(of: bytes, scratch)
        case .absent, .null, .true, .false, .number, .object, .array: nil
        }
    }
}

/// Collects the fields of an object that somebody wants.
protocol JSONFields {
    init()
    /// Takes note of a field; called again with the same key, the later value counts.
    mutating func take(_ key: ByteView, _ value: JSONValue)
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
