import Engine

/// The JSON of a schema as a tree. Schemas are read once; what records are made of never becomes a tree.
indirect enum SchemaJSON: Equatable {
    case null
    case flag(Bool)
    /// nil for anything but an integer of 64 bits.
    case number(Int64?)
    case text(String)
    case list([SchemaJSON])
    /// In the order in which they are written; of a name that comes again the last counts.
    case object([(name: String, value: SchemaJSON)])

    /// How deep lists and objects may lie in each other.
    static let depthLimit = 256

    /// Reads one value that fills all the bytes.
    init(_ bytes: [UInt8]) throws(AvroSchemaError) {
        var reader = SchemaJSONReader(bytes)
        self = try reader.value(depth: 0)
        guard reader.next() == nil else { throw reader.error("something follows the schema") }
    }

    subscript(_ name: String) -> SchemaJSON? {
        guard case .object(let fields) = self else { return nil }
        return fields.last { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var number: Int64? { if case .number(let number) = self { number } else { nil } }

    static func == (left: SchemaJSON, right: SchemaJSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.flag(let left), .flag(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.text(let left), .text(let right)): left.utf8.elementsEqual(right.utf8)
        case (.list(let left), .list(let right)): left == right
        case (.object(let left), .object(let right)):
            left.elementsEqual(right) { $0.name.utf8.elementsEqual($1.name.utf8) && $0.value == $1.value }
        default: false
        }
    }
}

private struct SchemaJSONReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func error(_ reason: String) -> AvroSchemaError { AvroSchemaError("is no JSON: \(reason) (byte \(at))") }

    /// The next byte that is no white space, not taken yet; nil at the end.
    mutating func next() -> UInt8? {
        while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x0A || bytes[at] == 0x0D || bytes[at] == 0x09 { at += 1 }
        return at < bytes.count ? bytes[at] : nil
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next() == byte else { return false }
        at += 1
        return true
    }

    mutating func value(depth: Int) throws(AvroSchemaError) -> SchemaJSON {
        guard depth < SchemaJSON.depthLimit else { throw error("it is deeper than \(SchemaJSON.depthLimit) levels") }
        guard let first = next() else { throw error("it ends too early") }
        switch first {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .list(try list(depth: depth))
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "t"): return try literal("true", .flag(true))
        case UInt8(ascii: "f"): return try literal("false", .flag(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number()
        default: throw error("no value begins so")
        }
    }

    private mutating func object(depth: Int) throws(AvroSchemaError) -> [(name: String, value: SchemaJSON)] {
        at += 1
        var fields: [(name: String, value: SchemaJSON)] = []
        if take(UInt8(ascii: "}")) { return fields }
        repeat {
            guard next() == UInt8(ascii: "\"") else { throw error("a name was expected") }
            let name = try string()
            guard take(UInt8(ascii: ":")) else { throw error("a colon was expected") }
            fields.append((name, try value(depth: depth + 1)))
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw error("the end of an object was expected") }
        return fields
    }

    private mutating func list(depth: Int) throws(AvroSchemaError) -> [SchemaJSON] {
        at += 1
        var items: [SchemaJSON] = []
        if take(UInt8(ascii: "]")) { return items }
        repeat {
            items.append(try value(depth: depth + 1))
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw error("the end of a list was expected") }
        return items
    }

    private mutating func literal(_ text: StaticString, _ value: SchemaJSON) throws(AvroSchemaError) -> SchemaJSON {
        let expected = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard bytes[at...].starts(with: expected) else { throw error("no value begins so") }
        at += expected.count
        return value
    }

    /// Defaults may be any numbers; the ones that count (sizes, scales) are integers.
    private mutating func number() -> SchemaJSON {
        let start = at
        while at < bytes.count, isOfNumber(bytes[at]) { at += 1 }
        return .number(Int64(String(decoding: bytes[start..<at], as: UTF8.self)))
    }

    private func isOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"),
            UInt8(ascii: "E"):
            true
        default: false
        }
    }

    private mutating func string() throws(AvroSchemaError) -> String {
        at += 1
        var text: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard text.withUnsafeBytes({ ByteView($0).isUTF8 }) else { throw error("a text is no UTF-8") }
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += try escaped()
            case ..<0x20: throw error("a control character in a text")
            default: text.append(byte)
            }
        }
        throw error("it ends within a text")
    }

    private mutating func escaped() throws(AvroSchemaError) -> [UInt8] {
        guard at < bytes.count else { throw error("it ends within a text") }
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return Array(UTF8.encode(try escapedScalar()) ?? UTF8.encodedReplacementCharacter)
        default: throw error("an unknown escape")
        }
    }

    private mutating func escapedScalar() throws(AvroSchemaError) -> Unicode.Scalar {
        var code = try codeUnit()
        if code & 0xFC00 == 0xD800, at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") {
            at += 2
            let low = try codeUnit()
            guard low & 0xFC00 == 0xDC00 else { throw error("half a character") }
            code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
        }
        guard let scalar = Unicode.Scalar(code) else { throw error("half a character") }
        return scalar
    }

    private mutating func codeUnit() throws(AvroSchemaError) -> UInt32 {
        guard at + 4 <= bytes.count, bytes[at..<at + 4].allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let unit = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
        else { throw error("an unknown escape") }
        at += 4
        return unit
    }
}
