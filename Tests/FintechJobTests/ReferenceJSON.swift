/// A slow JSON reader that shares nothing with the job's: recursive, over Unicode scalars, building a tree.
indirect enum ReferenceJSON {
    case null
    case flag(Bool)
    case number(String)
    case text(String)
    case list
    /// The last value of each key.
    case object([String: ReferenceJSON])

    /// nil for malformed bytes.
    init?(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var reader = Reader(scalars: Array(text.unicodeScalars))
        reader.skipSpace()
        guard let value = reader.value(depth: 0) else { return nil }
        reader.skipSpace()
        guard reader.isAtEnd else { return nil }
        self = value
    }

    private struct Reader {
        let scalars: [Unicode.Scalar]
        var at = 0

        init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

        var isAtEnd: Bool { at == scalars.count }
        var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

        mutating func take(_ text: String) -> Bool {
            let wanted = Array(text.unicodeScalars)
            guard scalars.count - at >= wanted.count, Array(scalars[at..<at + wanted.count]) == wanted else { return false }
            at += wanted.count
            return true
        }

        mutating func skipSpace() { while let scalar = next, " \t\r\n".unicodeScalars.contains(scalar) { at += 1 } }

        mutating func value(depth: Int) -> ReferenceJSON? {
            switch next {
            case "{": depth < 512 ? object(depth: depth + 1) : nil
            case "[": depth < 512 ? list(depth: depth + 1) : nil
            case "\"": text().map { .text($0) }
            case "n": take("null") ? .null : nil
            case "t": take("true") ? .flag(true) : nil
            case "f": take("false") ? .flag(false) : nil
            default: number().map { .number($0) }
            }
        }

        mutating func object(depth: Int) -> ReferenceJSON? {
            at += 1
            var fields: [String: ReferenceJSON] = [:]
            skipSpace()
            if take("}") { return .object(fields) }
            while true {
                skipSpace()
                guard next == "\"", let key = text() else { return nil }
                skipSpace()
                guard take(":") else { return nil }
                skipSpace()
                guard let value = value(depth: depth) else { return nil }
                fields[key] = value
                skipSpace()
                if take("}") { return .object(fields) }
                guard take(",") else { return nil }
            }
        }

        mutating func list(depth: Int) -> ReferenceJSON? {
            at += 1
            skipSpace()
            if take("]") { return .list }
            while true {
                skipSpace()
                guard value(depth: depth) != nil else { return nil }
                skipSpace()
                if take("]") { return .list }
                guard take(",") else { return nil }
            }
        }

        mutating func text() -> String? {
            at += 1
            var units: [UInt16] = []
            while let scalar = next {
                at += 1
                switch scalar {
                case "\"": return String(validating: units, as: UTF16.self)
                case "\\":
                    guard let unit = escape() else { return nil }
                    units.append(unit)
                case _ where scalar.value < 0x20: return nil
                default: units += Array(String(scalar).utf16)
                }
            }
            return nil
        }

        mutating func escape() -> UInt16? {
            guard let scalar = next else { return nil }
            at += 1
            let plain: [Unicode.Scalar: UInt16] = ["\"": 0x22, "\\": 0x5C, "/": 0x2F, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9]
            if let unit = plain[scalar] { return unit }
            guard scalar == "u", scalars.count - at >= 4 else { return nil }
            let digits = scalars[at..<at + 4]
            guard digits.allSatisfy({ $0.isASCII && $0.properties.isASCIIHexDigit }) else { return nil }
            at += 4
            return UInt16(String(String.UnicodeScalarView(digits)), radix: 16)
        }

        mutating func number() -> String? {
            var end = at
            while end < scalars.count, "+-.0123456789eE".unicodeScalars.contains(scalars[end]) { end += 1 }
            let text = String(String.UnicodeScalarView(scalars[at..<end]))
            guard text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil else { return nil }
            at = end
            return text
        }
    }
}
