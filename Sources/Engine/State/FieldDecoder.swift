/// Reads a record's fields back in the order in which they were written.
public struct FieldDecoder: FieldVisitor {
    @usableFromInline var reader: ByteReader

    /// Fills `record` from its encoded bytes. False when they are damaged: cut off, too long, malformed, or not sound.
    @inlinable
    public static func decode<Record: StateRecord>(_ bytes: ByteView, into record: inout Record) -> Bool {
        var decoder = FieldDecoder(reader: ByteReader(bytes))
        record.fields(&decoder)
        return !decoder.reader.failed && decoder.reader.isAtEnd && record.isSound
    }

    @inlinable init(reader: ByteReader) { self.reader = reader }

    @inlinable public mutating func field(_ name: StaticString, _ value: inout Bool) { value = reader.byte() != 0 }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout UInt64) { value = reader.varint() }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout Int64) { value = reader.zigzag() }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout Int128) { value = reader.zigzag128() }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout EventTime) {
        value = EventTime(milliseconds: reader.zigzag())
    }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout TextField) { value.set(reader.text()) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout TextSet) { value.decode(from: &reader) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout TextCounts) { value.decode(from: &reader) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout RecentNumbers) { value.decode(from: &reader) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout BucketSums) { value.decode(from: &reader) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout LastSeenTexts) { value.decode(from: &reader) }
}
