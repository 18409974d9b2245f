import Engine

/// Goes once through the bytes of a JSON value, checks all of it against RFC 8259, and says where its fields stand.
///
/// Stricter than many: the whole value must be well-formed, with nothing behind it; strings must be valid UTF-8 without
/// lone surrogates, written out or escaped; a byte order mark is refused. Nothing is allocated and nothing recurses.
struct JSONScanner {
    /// How deep objects and arrays may lie in each other; deeper ones are malformed.
    static let depthLimit = 512

    var at: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>

    /// nil for a null view.
    init?(_ bytes: ByteView) {
        guard let start = bytes.start else { return nil }
        at = start
        end = start + bytes.count
    }

    /// Reads one value that fills all the bytes, handing the fields of an object to `fields`. Returns what kind of value
    /// it is; nil when the bytes are malformed.
    static func read<Fields: RowFields>(_ bytes: ByteView, _ fields: inout Fields, _ scratch: ScratchMemory) -> FieldValue.Kind? {
        guard var scanner = JSONScanner(bytes), let first = scanner.nextToken() else { return nil }
        let kind: FieldValue.Kind
        if first == UInt8(ascii: "{") {
            scanner.at += 1
            guard scanner.readFields(&fields, scratch) else { return nil }
            kind = .object
        } else {
            guard let value = scanner.value(first, depth: 0) else { return nil }
            kind = value.kind
        }
        return scanner.nextToken() == nil ? kind : nil
    }

    /// Reads the rest of an object, `at` standing behind its brace.
    @inline(__always)
    private mutating func readFields<Fields: RowFields>(_ fields: inout Fields, _ scratch: ScratchMemory) -> Bool {
        guard var token = nextToken() else { return false }
        if token == UInt8(ascii: "}") {
            at += 1
            return true
        }
        while true {
            guard token == UInt8(ascii: "\"") else { return false }
            at += 1
            guard let key = string(), nextToken() == UInt8(ascii: ":") else { return false }
            at += 1
            guard let first = nextToken(), let value = value(first, depth: 1) else { return false }
            fields.take(key.kind == .string ? key.bytes : unescapedText(of: key.bytes, scratch), value)
            guard let separator = nextToken() else { return false }
            at += 1
            if separator == UInt8(ascii: "}") { return true }
            guard separator == UInt8(ascii: ","), let next = nextToken() else { return false }
            token = next
        }
    }

    /// The value that the bytes are as a whole, which `read` has checked.
    static func scalar(_ bytes: ByteView) -> FieldValue {
        guard var scanner = JSONScanner(bytes), let first = scanner.nextToken(), let value = scanner.value(first, depth: 0) else {
            return .absent
        }
        return value
    }

    /// Hands the elements of an array, which `read` has checked, to `body`; false for bytes that are none.
    static func forEachElement(of array: ByteView, _ body: (FieldValue) -> Void) -> Bool {
        guard var scanner = JSONScanner(array), scanner.nextToken() == UInt8(ascii: "[") else { return false }
        scanner.at += 1
        if scanner.nextToken() == UInt8(ascii: "]") { return true }
        while let first = scanner.nextToken(), let value = scanner.value(first, depth: 1) {
            body(value)
            guard let separator = scanner.nextToken() else { return false }
            scanner.at += 1
            if separator == UInt8(ascii: "]") { return true }
            guard separator == UInt8(ascii: ",") else { return false }
        }
        return false
    }

    /// Whether the array has one element, of which `condition` holds.
    static func holdsOnly(_ array: ByteView, where condition: (FieldValue) -> Bool) -> Bool {
        var (count, holds) = (0, false)
        let isArray = forEachElement(of: array) {
            count += 1
            if count == 1 { holds = condition($0) }
        }
        return isArray && count == 1 && holds
    }

    /// The next byte that is no white space, not taken yet; nil at the end.
    @inline(__always)
    mutating func nextToken() -> UInt8? {
        while at < end {
            let byte = at.pointee
            if byte > 0x20 { return byte }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            at += 1
        }
        return nil
    }

    /// Reads the value that starts at `at` with `first`, inside of `depth` objects and arrays.
    @inline(__always)
    private mutating func value(_ first: UInt8, depth: Int) -> FieldValue? {
        switch first {
        case UInt8(ascii: "\""):
            at += 1
            return string()
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let start = at
            guard skipContainer(depth: depth) else { return nil }
            return FieldValue(kind: first == UInt8(ascii: "{") ? .object : .array, bytes: ByteView(start: start, count: at - start))
        default:
            return scalar(first)
        }
    }

    /// Reads a literal or a number.
    @inline(__always)
    private mutating func scalar(_ first: UInt8) -> FieldValue? {
        switch first {
        case UInt8(ascii: "n"): literal("null", .null)
        case UInt8(ascii: "t"): literal("true", .true)
        case UInt8(ascii: "f"): literal("false", .false)
        default: number()
        }
    }

    @inline(__always)
    private mutating func literal(_ text: StaticString, _ kind: FieldValue.Kind) -> FieldValue? {
        let bytes = ByteView(start: at, count: text.utf8CodeUnitCount)
        guard end - at >= bytes.count, isKey(bytes, text) else { return nil }
        at += bytes.count
        return FieldValue(kind: kind, bytes: bytes)
    }

    private mutating func number() -> FieldValue? {
        let start = at
        if at.pointee == UInt8(ascii: "-") { at += 1 }
        let whole = skipDigits()
        guard whole > 0, whole == 1 || (at - whole).pointee != UInt8(ascii: "0") else { return nil }
        if at < end, at.pointee == UInt8(ascii: ".") {
            at += 1
            guard skipDigits() > 0 else { return nil }
        }
        if at < end, at.pointee | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < end, at.pointee == UInt8(ascii: "+") || at.pointee == UInt8(ascii: "-") { at += 1 }
            guard skipDigits() > 0 else { return nil }
        }
        return FieldValue(kind: .number, bytes: ByteView(start: start, count: at - start))
    }

    @inline(__always)
    private mutating func skipDigits() -> Int {
        let start = at
        while at < end, at.pointee &- UInt8(ascii: "0") < 10 { at += 1 }
        return at - start
    }

    /// Skips the object or array that starts at `at`, inside of `depth` others, checking all of it.
    private mutating func skipContainer(depth: Int) -> Bool {
        var open = OpenContainers(outside: depth)
        guard open.push(at.pointee) else { return false }
        at += 1
        var mayClose = true
        while true {
            guard var token = nextToken() else { return false }
            if mayClose, token == open.closing {
                at += 1
                if open.pop() { return true }
            } else {
                if open.isObject {
                    guard token == UInt8(ascii: "\"") else { return false }
                    at += 1
                    guard string() != nil, nextToken() == UInt8(ascii: ":") else { return false }
                    at += 1
                    guard let first = nextToken() else { return false }
                    token = first
                }
                switch token {
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    guard open.push(token) else { return false }
                    at += 1
                    mayClose = true
                    continue
                case UInt8(ascii: "\""):
                    at += 1
                    guard string() != nil else { return false }
                default:
                    guard scalar(token) != nil else { return false }
                }
            }
            guard let isClosed = skipClosings(&open) else { return false }
            if isClosed { return true }
            mayClose = false
        }
    }

    /// Behind a value: skips closing brackets and the comma after them. True when the outermost container was closed;
    /// nil when something else stands there.
    private mutating func skipClosings(_ open: inout OpenContainers) -> Bool? {
        while let token = nextToken() {
            at += 1
            if token == UInt8(ascii: ",") { return false }
            guard token == open.closing else { return nil }
            if open.pop() { return true }
        }
        return nil
    }
}

/// The containers that are open around a place in the text, a bit each: objects 1, arrays 0.
private struct OpenContainers {
    private var bits = InlineArray<8, UInt64>(repeating: 0)
    private let outside: Int
    private var depth: Int

    init(outside: Int) {
        self.outside = outside
        depth = outside
    }

    var isObject: Bool { bits[(depth - 1) >> 6] >> UInt64((depth - 1) & 63) & 1 == 1 }
    var closing: UInt8 { isObject ? UInt8(ascii: "}") : UInt8(ascii: "]") }

    /// False when that is deeper than allowed.
    mutating func push(_ opening: UInt8) -> Bool {
        guard depth < JSONScanner.depthLimit else { return false }
        let bit: UInt64 = 1 << UInt64(depth & 63)
        if opening == UInt8(ascii: "{") { bits[depth >> 6] |= bit } else { bits[depth >> 6] &= ~bit }
        depth += 1
        return true
    }

    /// True when the outermost of them was closed.
    mutating func pop() -> Bool {
        depth -= 1
        return depth == outside
    }
}
