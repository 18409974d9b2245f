/// A ClickHouse column type, as far as this sink tells types apart.
indirect enum ColumnType: Equatable {
    case string
    case bool
    /// `UInt8` … `UInt64`
    case unsigned(bits: Int)
    /// `Int8` … `Int64`
    case signed(bits: Int)
    /// `Float32`, `Float64`
    case float(bits: Int)
    /// Whole seconds; the zone matters only for showing and for partition keys.
    case dateTime(zone: String?)
    case dateTime64(precision: Int, zone: String?)
    case decimal(precision: Int, scale: Int)
    case array(ColumnType)
    case map(ColumnType, ColumnType)
    case nullable(ColumnType)
    case lowCardinality(ColumnType)
    case other(String)

    /// Reads a type as `system.columns` writes it.
    init(_ text: String) {
        let name = String(text.prefix { $0 != "(" })
        let arguments = ColumnType.arguments(text.dropFirst(name.count))
        switch (name, arguments.count) {
        case ("String", 0): self = .string
        case ("Bool", 0): self = .bool
        case ("UInt8", 0), ("UInt16", 0), ("UInt32", 0), ("UInt64", 0): self = .unsigned(bits: Int(name.dropFirst(4))!)
        case ("Int8", 0), ("Int16", 0), ("Int32", 0), ("Int64", 0): self = .signed(bits: Int(name.dropFirst(3))!)
        case ("Float32", 0), ("Float64", 0): self = .float(bits: Int(name.dropFirst(5))!)
        case ("DateTime", 0...1): self = .dateTime(zone: arguments.first.map(ColumnType.unquoted))
        case ("DateTime64", 1...2):
            guard let precision = Int(arguments[0]), 0...9 ~= precision else {
                self = .other(text)
                return
            }
            self = .dateTime64(precision: precision, zone: arguments.count == 2 ? ColumnType.unquoted(arguments[1]) : nil)
        case ("Decimal", 2):
            guard let precision = Int(arguments[0]), let scale = Int(arguments[1]) else {
                self = .other(text)
                return
            }
            self = .decimal(precision: precision, scale: scale)
        case ("Array", 1): self = .array(ColumnType(arguments[0]))
        case ("Map", 2): self = .map(ColumnType(arguments[0]), ColumnType(arguments[1]))
        case ("Nullable", 1): self = .nullable(ColumnType(arguments[0]))
        case ("LowCardinality", 1): self = .lowCardinality(ColumnType(arguments[0]))
        default: self = .other(text)
        }
    }

    /// The type as a block declares it: `LowCardinality` is left out, because the server makes it from its inner type.
    var inBlock: String {
        switch self {
        case .string: "String"
        case .bool: "Bool"
        case .unsigned(let bits): "UInt\(bits)"
        case .signed(let bits): "Int\(bits)"
        case .float(let bits): "Float\(bits)"
        case .dateTime(let zone): zone.map { "DateTime(\(SQLText.string($0)))" } ?? "DateTime"
        case .dateTime64(let precision, let zone):
            zone.map { "DateTime64(\(precision), \(SQLText.string($0)))" } ?? "DateTime64(\(precision))"
        case .decimal(let precision, let scale): "Decimal(\(precision), \(scale))"
        case .array(let inner): "Array(\(inner.inBlock))"
        case .map(let key, let value): "Map(\(key.inBlock), \(value.inBlock))"
        case .nullable(let inner): "Nullable(\(inner.inBlock))"
        case .lowCardinality(let inner): inner.inBlock
        case .other(let text): text
        }
    }

    /// What a row holds in a column that its INSERT does not name, as an expression; nil for a type that is not told apart.
    var emptyValue: String? {
        switch self {
        case .string: "''"
        case .bool: "false"
        case .unsigned, .signed, .float, .dateTime, .dateTime64, .decimal: "0"
        case .array: "[]"
        case .map: "map()"
        case .nullable: "NULL"
        case .lowCardinality(let inner): inner.emptyValue
        case .other: nil
        }
    }

    /// Whether `LowCardinality` occurs anywhere in the type.
    var holdsLowCardinality: Bool {
        switch self {
        case .lowCardinality: true
        case .array(let inner), .nullable(let inner): inner.holdsLowCardinality
        case .map(let key, let value): key.holdsLowCardinality || value.holdsLowCardinality
        case .string, .bool, .unsigned, .signed, .float, .dateTime, .dateTime64, .decimal, .other: false
        }
    }

    /// The arguments in `(a, b(c, d), 'e')`, split at its own commas.
    private static func arguments(_ text: Substring) -> [String] {
        guard text.unicodeScalars.first == "(", text.unicodeScalars.last == ")" else { return [] }
        var arguments: [String] = []
        var current = ""
        var depth = 0
        var isQuoted = false
        for sign in text.unicodeScalars.dropFirst().dropLast() {
            if sign == "'" { isQuoted.toggle() }
            if !isQuoted {
                if sign == "(" { depth += 1 }
                if sign == ")" { depth -= 1 }
                if sign == ",", depth == 0 {
                    arguments.append(current)
                    current = ""
                    continue
                }
                if sign == " ", current.isEmpty { continue }
            }
            current.unicodeScalars.append(sign)
        }
        return arguments + [current]
    }

    private static func unquoted(_ text: String) -> String { text.filter { $0 != "'" } }
}
