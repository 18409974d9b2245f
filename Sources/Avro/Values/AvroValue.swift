import Engine

/// A value where it stands in a record: what it is, and its number or its bytes, not copied.
package struct AvroValue: BitwiseCopyable {
    package enum Kind: UInt8, BitwiseCopyable, Sendable {
        case null, `true`, `false`
        /// An int or a long.
        case integer
        /// A float or a double.
        case double
        /// Of bytes or a fixed.
        case bytes
        /// A string, valid UTF-8, or an enum's symbol.
        case text
        case record, array, map
    }

    package let kind: Kind
    /// The number of its type in the schema; of a union the branch's.
    package let type: Int32
    @usableFromInline let bits: UInt64
    /// Of a text, bytes or a fixed; of a record, an array or a map all that it takes.
    package let bytes: ByteView

    @inlinable init(_ kind: Kind, type: Int32, bits: UInt64 = 0, bytes: ByteView = .null) {
        self.kind = kind
        self.type = type
        self.bits = bits
        self.bytes = bytes
    }

    /// A record that was handed over, from what was kept of it.
    @inlinable package init(record type: Int32, bytes: ByteView) { self.init(.record, type: type, bytes: bytes) }

    /// Of an `integer`.
    @inlinable package var integer: Int64 { Int64(bitPattern: bits) }
    /// Of a `double`.
    @inlinable package var double: Double { Double(bitPattern: bits) }
}

/// Collects the fields of a record that somebody wants.
package protocol AvroFields {
    /// Takes note of a field. The name is valid as long as the schema, the value as long as the record.
    mutating func take(_ name: ByteView, _ value: AvroValue)
}
