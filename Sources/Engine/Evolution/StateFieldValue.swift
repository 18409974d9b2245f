/// A value that a state record may have as a field: what an evolution says about single fields is said with these.
public protocol StateFieldValue: SendableMetatype {
    static var fieldType: StateFieldType { get }
    /// What a field holds that nothing was put into.
    static var emptyField: Self { get }
    /// Shows the value to a visitor, as a record shows its fields.
    mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor)
}

extension StateFieldValue {
    /// The value as a record stores it.
    var encodedField: [UInt8] {
        var encoder = FieldEncoder()
        var value = self
        value.visit(&encoder)
        return encoder.writer.copy()
    }

    /// The value of a stored field; nil when its bytes are damaged.
    static func decodedField(_ bytes: ByteView) -> Self? {
        var decoder = FieldDecoder(reader: ByteReader(bytes))
        var value = emptyField
        value.visit(&decoder)
        return !decoder.reader.failed && decoder.reader.isAtEnd ? value : nil
    }
}

extension Bool: StateFieldValue {
    public static let fieldType = StateFieldType.bool
    public static let emptyField = false
    public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) { visitor.field("value", &self) }
}

extension UInt64: StateFieldValue {
    public static let fieldType = StateFieldType.unsigned
    public static let emptyField: UInt64 = 0
    public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) { visitor.field("value", &self) }
}

extension Int64: StateFieldValue {
    public static let fieldType = StateFieldType.signed
    public static let emptyField: Int64 = 0
    public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) { visitor.field("value", &self) }
}

extension Int128: StateFieldValue {
    public static let fieldType = StateFieldType.signed128
    public static let emptyField: Int128 = 0
    public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) { visitor.field("value", &self) }
}

extension EventTime: StateFieldValue {
    public static let fieldType = StateFieldType.time
    public static let emptyField = EventTime(milliseconds: 0)
    public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) { visitor.field("value", &self) }
}

extension TextField: StateFieldValue {
    public static let fieldType = StateFieldType.text
    public static let emptyField = TextField()
    public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) { visitor.field("value", &self) }

    /// A field that holds `text`: for declarations and conversions, not for the record path.
    public init(_ text: String) {
        self.init()
        bytes = Array(text.utf8)
    }
}

extension TextSet: StateFieldValue {
    public static let fieldType = StateFieldType.textSet
    public static let emptyField = TextSet()
    public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) { visitor.field("value", &self) }
}

extension TextCounts: StateFieldValue {
    public static let fieldType = StateFieldType.textCounts
    public static let emptyField = TextCounts()
    public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) { visitor.field("value", &self) }
}

extension RecentNumbers: StateFieldValue {
    public static let fieldType = StateFieldType.recentNumbers
    public static let emptyField = RecentNumbers()
    public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) { visitor.field("value", &self) }
}

extension BucketSums: StateFieldValue {
    public static let fieldType = StateFieldType.bucketSums
    public static let emptyField = BucketSums()
    public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) { visitor.field("value", &self) }
}

extension LastSeenTexts: StateFieldValue {
    public static let fieldType = StateFieldType.lastSeenTexts
    public static let emptyField = LastSeenTexts()
    public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) { visitor.field("value", &self) }
}
