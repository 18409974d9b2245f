import Engine

extension JSONScanner {
    /// Reads a string up to and with its closing quote; `at` stands behind the opening one. nil when it is no valid
    /// string: control characters, unknown escapes, invalid UTF-8 and lone surrogates are refused.
    @inline(__always)
    mutating func string() -> FieldValue? {
        let start = at
        skipPlainText()
        guard at < end, at.pointee == UInt8(ascii: "\"") else { return specialString(from: start) }
        defer { at += 1 }
        return FieldValue(kind: .string, bytes: ByteView(start: start, count: at - start))
    }

    /// As `string`, of one that is plain from `start` to `at`, where something other than its closing quote stands.
    private mutating func specialString(from start: UnsafePointer<UInt8>) -> FieldValue? {
        var kind = FieldValue.Kind.string
        while at < end {
            switch at.pointee {
            case UInt8(ascii: "\""):
                defer { at += 1 }
                return FieldValue(kind: kind, bytes: ByteView(start: start, count: at - start))
            case UInt8(ascii: "\\"):
                kind = .escapedString
                guard skipEscape() else { return nil }
            case 0x80...:
                guard skipMultibyteCharacters() else { return nil }
            default:
                return nil
            }
            skipPlainText()
        }
        return nil
    }

    /// Moves to the next quote, backslash, control character or byte beyond ASCII, or to the end.
    ///
    /// Eight bytes at a time; `at` is written once, because it is in memory.
    @inline(__always)
    private mutating func skipPlainText() {
        var next = at
        defer { at = next }
        while end - next >= 8 {
            let special = specialBytes(word(next))
            if special != 0 {
                next += special.trailingZeroBitCount >> 3
                return
            }
            next += 8
        }
        while next < end, next.pointee >= 0x20, next.pointee < 0x80, next.pointee != UInt8(ascii: "\""), next.pointee != UInt8(ascii: "\\")
        {
            next += 1
        }
    }

    /// `at` stands on the backslash.
    @inline(__always)
    private mutating func skipEscape() -> Bool {
        guard end - at >= 2 else { return false }
        let escaped = at[1]
        switch escaped {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 2
            return true
        case UInt8(ascii: "u"):
            guard let unit = hexUnit(at, end) else { return false }
            at += 6
            if unit & 0xF800 != 0xD800 { return true }
            guard unit < 0xDC00, let low = hexUnit(at, end), low & 0xFC00 == 0xDC00 else { return false }
            at += 6
            return true
        default:
            return false
        }
    }

    /// Skips a run of characters beyond ASCII; false at a byte sequence that is not UTF-8.
    private mutating func skipMultibyteCharacters() -> Bool {
        while at < end, at.pointee >= 0x80 {
            let length = ByteView.lengthOfMultibyte(at, before: end)
            guard length > 0 else { return false }
            at += length
        }
        return true
    }
}

/// The eight bytes at `bytes`, the first of them the lowest.
@inline(__always)
private func word(_ bytes: UnsafePointer<UInt8>) -> UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self))
}

/// A word with `byte` in each of its eight bytes.
@inline(__always)
private func eachByte(_ byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 &* UInt64(byte) }

/// The high bits of those of eight bytes that are a quote, a backslash, a control character or beyond ASCII.
///
/// In a plain register, after "Determine if a word has a byte less than n" (Sean Eron Anderson, Bit Twiddling Hacks): a borrow can set
/// a bit wrongly only above a byte that is one of the four. The standard library's SIMD comparisons go lane by lane and take 30
/// times as long.
@inline(__always)
private func specialBytes(_ word: UInt64) -> UInt64 {
    let quotes = (word ^ eachByte(UInt8(ascii: "\""))) &- eachByte(1)
    let backslashes = (word ^ eachByte(UInt8(ascii: "\\"))) &- eachByte(1)
    let controls = word &- eachByte(0x20)
    return (quotes | backslashes | controls | word) & eachByte(0x80)
}

/// The high bits of the bytes that are zero; one can be set wrongly only above another.
@inline(__always)
private func zeroBytes(_ word: UInt64) -> UInt64 { (word &- eachByte(1)) & ~word & eachByte(0x80) }

/// The UTF-16 code unit of `\uXXXX` at `at`; nil when that is not what stands there.
@inline(__always)
private func hexUnit(_ at: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> UInt32? {
    guard end - at >= 6, at[0] == UInt8(ascii: "\\"), at[1] == UInt8(ascii: "u") else { return nil }
    var unit: UInt32 = 0
    for index in 2..<6 {
        let digit: UInt8
        switch at[index] {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = at[index] - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = at[index] - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = at[index] - UInt8(ascii: "A") + 10
        default: return nil
        }
        unit = unit << 4 | UInt32(digit)
    }
    return unit
}

/// The text of a string with escapes that the scanner found valid. It is never longer than what it was made from.
func unescapedText(of raw: ByteView, _ scratch: ScratchMemory) -> ByteView {
    let text = scratch.allocate(raw.count)
    guard var at = raw.start else { return ByteView(start: text, count: 0) }
    let end = at + raw.count
    var written = 0
    while at < end {
        // Eight bytes are copied before it is known how many of them count: the text is as far behind its end as `at` is, or further.
        if end - at >= 8 {
            let word = word(at)
            UnsafeMutableRawPointer(text + written).storeBytes(of: word.littleEndian, as: UInt64.self)
            let backslashes = zeroBytes(word ^ eachByte(UInt8(ascii: "\\")))
            let plain = backslashes == 0 ? 8 : backslashes.trailingZeroBitCount >> 3
            at += plain
            written += plain
            if backslashes == 0 { continue }
        }
        if at.pointee != UInt8(ascii: "\\") {
            text[written] = at.pointee
            written += 1
            at += 1
        } else if at[1] == UInt8(ascii: "u") {
            written += writeEscapedScalar(&at, end, to: text + written)
        } else {
            text[written] = unescapedByte(at[1])
            written += 1
            at += 2
        }
    }
    return ByteView(start: text, count: written)
}

@inline(__always)
private func unescapedByte(_ escaped: UInt8) -> UInt8 {
    switch escaped {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: escaped
    }
}

/// Writes the character of `\uXXXX`, or of a pair of them, as UTF-8; returns how many bytes it took.
private func writeEscapedScalar(_ at: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, to text: UnsafeMutablePointer<UInt8>) -> Int
{
    var scalar = hexUnit(at, end) ?? 0
    at += 6
    if scalar & 0xFC00 == 0xD800 {
        let low = hexUnit(at, end) ?? 0
        at += 6
        scalar = 0x10000 + (scalar & 0x3FF) << 10 + low & 0x3FF
    }
    func tail(_ shift: UInt32) -> UInt8 { UInt8(0x80 | (scalar >> shift) & 0x3F) }
    switch scalar {
    case ..<0x80:
        text[0] = UInt8(scalar)
        return 1
    case ..<0x800:
        (text[0], text[1]) = (UInt8(0xC0 | scalar >> 6), tail(0))
        return 2
    case ..<0x10000:
        (text[0], text[1], text[2]) = (UInt8(0xE0 | scalar >> 12), tail(6), tail(0))
        return 3
    default:
        (text[0], text[1], text[2], text[3]) = (UInt8(0xF0 | scalar >> 18), tail(12), tail(6), tail(0))
        return 4
    }
}
