/// A typed record of keyed state, such as the running totals of one customer in one window.
///
/// The one function `fields` declares the record's layout: encoding, decoding and the schema that is written beside
/// the state all come from it, so they can't drift apart.
///
/// ```swift
/// struct PageViews: StateRecord {
///     var count: UInt64 = 0
///     var pages = TextSet()
///     mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
///         visit.field("count", &count)
///         visit.field("pages", &pages)
///     }
/// }
/// ```
public protocol StateRecord: SendableMetatype {
    /// The record of a key that has none yet.
    init()
    /// Back to what `init()` gives, keeping memory that can be used again. The default assigns `Self()`.
    mutating func reset()
    /// Visits every field in the order in which they are stored. Names are mandatory, unique and part of the format.
    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor)
    /// Whether the fields can be what the processor has written: asked of every stored record before it is used. One that is not is
    /// damage, as bytes that don't decode are: an error that names table and key. A record with sums and counts says here that they
    /// leave room to go on adding up, so that no number from a file ends the process or gives a wrong one. The default takes all.
    var isSound: Bool { get }
}

extension StateRecord {
    @inlinable public mutating func reset() { self = Self() }
    @inlinable public var isSound: Bool { true }
}

/// What goes through a record's fields: the encoder, the decoder, the collector of the schema.
public protocol FieldVisitor: ~Copyable {
    mutating func field(_ name: StaticString, _ value: inout Bool)
    mutating func field(_ name: StaticString, _ value: inout UInt64)
    mutating func field(_ name: StaticString, _ value: inout Int64)
    mutating func field(_ name: StaticString, _ value: inout Int128)
    mutating func field(_ name: StaticString, _ value: inout EventTime)
    mutating func field(_ name: StaticString, _ value: inout TextField)
    mutating func field(_ name: StaticString, _ value: inout TextSet)
    mutating func field(_ name: StaticString, _ value: inout TextCounts)
    mutating func field(_ name: StaticString, _ value: inout RecentNumbers)
    mutating func field(_ name: StaticString, _ value: inout BucketSums)
    mutating func field(_ name: StaticString, _ value: inout LastSeenTexts)
}

/// Appends a record's fields to a writer.
public struct FieldEncoder: FieldVisitor, ~Copyable {
    @usableFromInline var writer: ByteWriter

    public init() { writer = ByteWriter() }

    /// The encoded record, valid until the next call.
    @inlinable
    public mutating func encode<Record: StateRecord>(_ record: inout Record) -> ByteView {
        writer.removeAll()
        record.fields(&self)
        return writer.view
    }

    @inlinable public mutating func field(_ name: StaticString, _ value: inout Bool) { writer.write(byte: value ? 1 : 0) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout UInt64) { writer.write(varint: value) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout Int64) { writer.write(zigzag: value) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout Int128) { writer.write(zigzag128: value) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout EventTime) { writer.write(zigzag: value.milliseconds) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout TextField) { writer.write(text: value.view) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout TextSet) { value.encode(into: &writer) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout TextCounts) { value.encode(into: &writer) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout RecentNumbers) { value.encode(into: &writer) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout BucketSums) { value.encode(into: &writer) }
    @inlinable public mutating func field(_ name: StaticString, _ value: inout LastSeenTexts) { value.encode(into: &writer) }
}
