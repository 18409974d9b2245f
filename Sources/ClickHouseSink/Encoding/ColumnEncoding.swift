import Engine

/// How the values of one output column are written for the real column that takes them.
struct ColumnEncoding: Equatable {
    enum Form: Equatable {
        case text
        /// Little-endian in this many bytes; a greater value does not fit.
        case integer(bytes: Int, maximum: UInt64)
        case float64
        case float32
        case flag
        /// Seconds since 1970 in 4 bytes, cut.
        case seconds
        /// Milliseconds times `multiplier` or by `divisor`, of which one is 1; in 8 bytes.
        case ticks(multiplier: Int64, divisor: Int64)
        /// Cents, or a count, times `multiplier` in this many bytes, less than `limit` either way.
        case decimal(bytes: Int, multiplier: Int128, limit: Int128)
        /// Lengths, names, counts of this many bytes.
        case countsMap(valueBytes: Int)
        /// A text with a JSON object, names sorted.
        case countsJSON
        case texts
    }

    let form: Form
    let isNullable: Bool
    /// The type that the block declares.
    let blockType: String

    /// nil when the real column can't take values of this type without losing any.
    init?(_ output: OutputType, into type: ColumnType) {
        var inner = type
        if case .lowCardinality(let content) = inner { inner = content }
        var isNullable = false
        if case .nullable(let content) = inner {
            inner = content
            isNullable = true
        }
        guard let form = ColumnEncoding.form(output, inner) else { return nil }
        self.form = form
        self.isNullable = isNullable
        blockType = type.inBlock
    }

    private static func form(_ output: OutputType, _ type: ColumnType) -> Form? {
        switch (output, type) {
        case (.text, .string): .text
        case (.count, .unsigned(let bits)): .integer(bytes: bits / 8, maximum: bits == 64 ? .max : (1 << UInt64(bits)) - 1)
        case (.count, .signed(let bits)): .integer(bytes: bits / 8, maximum: (1 << UInt64(bits - 1)) - 1)
        // A column that became wider than its job knew: each count that it can hold exactly.
        case (.count, .decimal(let precision, let scale)): decimal(precision, scale, unit: 0)
        case (.number, .float(let bits)), (.count, .float(let bits)): bits == 64 ? .float64 : .float32
        case (.flag, .bool), (.flag, .unsigned(bits: 8)): .flag
        case (.flag, .unsigned(let bits)), (.flag, .signed(let bits)): .integer(bytes: bits / 8, maximum: 1)
        case (.time, .dateTime): .seconds
        case (.time, .dateTime64(let precision, _)):
            .ticks(multiplier: power(10, max(0, precision - 3)), divisor: power(10, max(0, 3 - precision)))
        case (.amount, .decimal(let precision, let scale)), (.sum, .decimal(let precision, let scale)): decimal(precision, scale, unit: 2)
        case (.textCounts, .map(let name, .unsigned(let bits))) where bits >= 32 && isPlainText(name): .countsMap(valueBytes: bits / 8)
        case (.textCounts, .string): .countsJSON
        case (.texts, .array(let element)) where isPlainText(element): .texts
        default: nil
        }
    }

    private static func isPlainText(_ type: ColumnType) -> Bool { type == .string || type == .lowCardinality(.string) }

    /// `unit`: the decimals that values have, which must fit behind the point.
    private static func decimal(_ precision: Int, _ scale: Int, unit: Int) -> Form? {
        guard scale >= unit, precision >= scale, 1...38 ~= precision else { return nil }
        let bytes = precision <= 9 ? 4 : precision <= 18 ? 8 : 16
        return .decimal(bytes: bytes, multiplier: power(10, scale - unit), limit: power(10, precision))
    }

    private static func power<Number: FixedWidthInteger>(_ base: Number, _ exponent: Int) -> Number {
        (0..<exponent).reduce(1) { product, _ in product * base }
    }
}
