/// How the bytes of one field become those of another type, and back.
struct FieldConversion: Sendable {
    /// Writes what a field becomes. False when it is damaged, or can't be said in the other type.
    typealias Function = @Sendable (_ field: ByteView, inout ByteWriter) -> Bool

    let from: StateFieldType
    let to: StateFieldType
    let forth: Function
    /// nil: nobody can say what it was.
    let back: Function?

    /// By two functions that somebody declared.
    init<Old: StateFieldValue, New: StateFieldValue>(_ forth: @escaping @Sendable (Old) -> New, back: (@Sendable (New) -> Old)?) {
        from = Old.fieldType
        to = New.fieldType
        self.forth = FieldConversion.function(forth)
        self.back = back.map { FieldConversion.function($0) }
    }

    private static func function<Old: StateFieldValue, New: StateFieldValue>(_ convert: @escaping @Sendable (Old) -> New) -> Function {
        { field, writer in
            guard let old = Old.decodedField(field) else { return false }
            convert(old).encodedField.withUnsafeBytes { writer.write(raw: ByteView($0)) }
            return true
        }
    }

    /// From a kind of number to a wider one; nil when `to` does not hold all that `from` does (but the unsigned numbers
    /// above the greatest signed one, which stop a migration). On the way back a number that does not fit becomes the
    /// nearest one that does.
    init?(widening from: StateFieldType, to: StateFieldType) {
        guard let narrow = FieldConversion.width(of: from), let wide = FieldConversion.width(of: to), narrow < wide else { return nil }
        self.from = from
        self.to = to
        forth = { field, writer in FieldConversion.rewrite(field, from, to, clamps: false, &writer) }
        back = { field, writer in FieldConversion.rewrite(field, to, from, clamps: true, &writer) }
    }

    private static func width(of type: StateFieldType) -> Int? {
        switch type {
        case .bool: 0
        case .unsigned: 1
        case .time: 2
        case .signed: 3
        case .signed128: 4
        case .text, .textSet, .textCounts, .recentNumbers, .bucketSums, .lastSeenTexts: nil
        }
    }

    private static func rewrite(_ field: ByteView, _ from: StateFieldType, _ to: StateFieldType, clamps: Bool, _ writer: inout ByteWriter)
        -> Bool
    {
        var reader = ByteReader(field)
        let number: Int128 =
            switch from {
            case .bool: reader.byte() != 0 ? 1 : 0
            case .unsigned: Int128(reader.varint())
            case .signed128: reader.zigzag128()
            default: Int128(reader.zigzag())
            }
        guard !reader.failed else { return false }
        let least: Int128 =
            switch to {
            case .bool, .unsigned: 0
            case .signed128: .min
            default: Int128(Int64.min)
            }
        let greatest: Int128 =
            switch to {
            case .bool: 1
            case .unsigned: Int128(UInt64.max)
            case .signed128: .max
            default: Int128(Int64.max)
            }
        let fitting = min(max(number, least), greatest)
        guard clamps || fitting == number else { return false }
        switch to {
        case .bool: writer.write(byte: UInt8(fitting))
        case .unsigned: writer.write(varint: UInt64(fitting))
        case .signed128: writer.write(zigzag128: fitting)
        default: writer.write(zigzag: Int64(fitting))
        }
        return true
    }
}
