/// Reads Avro from an array, index by index, the way Avro's specification puts it; nil for what is malformed.
struct SlowReader {
    let bytes: [UInt8]
    var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func read(_ bytes: [UInt8], as type: TestType) -> String {
        var reader = SlowReader(bytes)
        guard case .record(_, let fields) = type, let text = reader.fields(fields), reader.at == bytes.count else { return "malformed" }
        return text
    }

    private mutating func byte() -> UInt8? {
        guard at < bytes.count else { return nil }
        at += 1
        return bytes[at - 1]
    }

    private mutating func long() -> Int64? {
        var number: UInt128 = 0
        for place in 0..<10 {
            guard let byte = byte() else { return nil }
            number += UInt128(byte & 0x7F) << UInt128(7 * place)
            guard byte < 0x80 else { continue }
            guard number <= UInt128(UInt64.max) else { return nil }
            let half = Int64(number >> 1)
            return number & 1 == 0 ? half : -half - 1
        }
        return nil
    }

    private mutating func take(_ count: Int64) -> [UInt8]? {
        guard count >= 0, count <= Int64(bytes.count - at) else { return nil }
        defer { at += Int(count) }
        return Array(bytes[at..<at + Int(count)])
    }

    private mutating func data() -> [UInt8]? { long().flatMap { take($0) } }

    private mutating func fields(_ fields: [(name: String, type: TestType)]) -> String? {
        var texts: [String] = []
        for field in fields {
            guard let text = shown(field.type) else { return nil }
            texts.append("\(field.name)=\(text)")
        }
        return "{\(texts.joined(separator: " "))}"
    }

    private mutating func shown(_ type: TestType) -> String? {
        switch type {
        case .null: return "null"
        case .boolean: return byte().flatMap { $0 == 0 ? "false" : $0 == 1 ? "true" : nil }
        case .int: return long().flatMap { Int32(exactly: $0) }.map { "\($0)" }
        case .long: return long().map { "\($0)" }
        case .float: return take(4).map { "\(Double(Float(bitPattern: UInt32(SlowReader.word($0)))))" }
        case .double: return take(8).map { "\(Double(bitPattern: SlowReader.word($0)))" }
        case .bytes: return data().map { "bytes " + $0.map { String($0) }.joined(separator: ".") }
        case .string: return data().flatMap { String(validating: $0, as: UTF8.self) }.map { "'\($0)'" }
        case .enumeration(_, let symbols): return long().flatMap { $0 >= 0 && $0 < Int64(symbols) ? "'S\($0)'" : nil }
        case .fixed(_, let size): return take(Int64(size)).map { "bytes " + $0.map { String($0) }.joined(separator: ".") }
        case .record(_, let fields):
            // As it is handed over: what it takes first, what is in it when somebody looks.
            var inner = self
            guard skip(type) else { return nil }
            return inner.fields(fields) ?? "{malformed}"
        case .array:
            let start = at
            return skip(type) ? "[\(at - start) bytes]" : nil
        case .map:
            let start = at
            return skip(type) ? "<\(at - start) bytes>" : nil
        case .union(let branches):
            guard let index = long(), index >= 0, index < Int64(branches.count) else { return nil }
            return shown(branches[Int(index)])
        }
    }

    private static func word(_ bytes: [UInt8]) -> UInt64 {
        bytes.enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
    }

    private mutating func skip(_ type: TestType) -> Bool {
        switch type {
        case .null: return true
        case .boolean: return byte().map { $0 <= 1 } ?? false
        case .int, .long: return long() != nil
        case .float: return take(4) != nil
        case .double: return take(8) != nil
        case .bytes, .string: return data() != nil
        case .enumeration(_, let symbols): return long().map { $0 >= 0 && $0 < Int64(symbols) } ?? false
        case .fixed(_, let size): return take(Int64(size)) != nil
        case .record(_, let fields): return fields.allSatisfy { skip($0.type) }
        case .array(let items): return skipBlocks(isWithoutBytes: items.isWithoutBytes) { $0.skip(items) }
        case .map(let values): return skipBlocks(isWithoutBytes: false) { $0.data() != nil && $0.skip(values) }
        case .union(let branches):
            guard let index = long(), index >= 0, index < Int64(branches.count) else { return false }
            return skip(branches[Int(index)])
        }
    }

    private mutating func skipBlocks(isWithoutBytes: Bool, _ item: (inout SlowReader) -> Bool) -> Bool {
        while true {
            guard let count = long() else { return false }
            if count == 0 { return true }
            if count < 0 {
                guard data() != nil else { return false }
            } else if !isWithoutBytes {
                for _ in 0..<count { guard item(&self) else { return false } }
            }
        }
    }
}
