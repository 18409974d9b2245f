import Engine

/// Text as ClickHouse's SQL and its tab-separated answers write it.
enum SQLText {
    /// `'…'` with everything escaped that could end it.
    static func string(_ text: String) -> String {
        "'" + text.escaped(sign(orBackslash: "'")) + "'"
    }

    /// `` `…` ``
    static func identifier(_ name: String) -> String {
        "`" + name.escaped(sign(orBackslash: "`")) + "`"
    }

    /// A backslash before the sign that ends a text, and before a backslash.
    private static func sign(orBackslash end: Unicode.Scalar) -> (UInt8) -> String? {
        { $0 == UInt8(ascii: end) ? "\\\(end)" : $0 == UInt8(ascii: "\\") ? "\\\\" : nil }
    }

    /// `` `database`.`table` ``
    static func table(_ database: String, _ table: String) -> String { identifier(database) + "." + identifier(table) }

    /// A statement without what stands in quotes of any kind, whose words are nobody's keywords.
    static func withoutQuoted(_ statement: String) -> String {
        var (quote, isEscaped): (UInt8?, Bool) = (nil, false)
        let rest = statement.utf8.filter { byte in
            if let end = quote {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == end {
                    quote = nil
                }
                return false
            }
            guard "'`\"".utf8.contains(byte) else { return true }
            quote = byte
            return false
        }
        return String(decoding: rest, as: UTF8.self)
    }

    /// The rows of a `TabSeparated` answer, each its fields, unescaped.
    static func rows(tabSeparated body: [UInt8]) -> [[String]] {
        body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true).map { line in
            line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map(unescaped)
        }
    }

    private static func unescaped(_ field: ArraySlice<UInt8>) -> String {
        guard field.contains(UInt8(ascii: "\\")) else { return String(decoding: field, as: UTF8.self) }
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in field {
            if isEscaped {
                isEscaped = false
                switch byte {
                case UInt8(ascii: "n"): bytes.append(10)
                case UInt8(ascii: "t"): bytes.append(9)
                case UInt8(ascii: "r"): bytes.append(13)
                case UInt8(ascii: "b"): bytes.append(8)
                case UInt8(ascii: "f"): bytes.append(12)
                case UInt8(ascii: "0"): bytes.append(0)
                default: bytes.append(byte)
                }
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
