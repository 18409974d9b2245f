import Engine

/// Base64 as Connect's JSON converter writes bytes: RFC 4648, section 4, padded.
enum Base64 {
    /// The bytes, written to `scratch`; nil for any text that is not one that an encoder writes.
    static func decode(_ text: ByteView, _ scratch: ScratchMemory) -> ByteView? {
        guard text.count % 4 == 0 else { return nil }
        var padding = 0
        if text.count > 0, text[text.count - 1] == UInt8(ascii: "=") { padding = text[text.count - 2] == UInt8(ascii: "=") ? 2 : 1 }
        let bytes = scratch.allocate(text.count / 4 * 3)
        var written = 0
        var group: UInt32 = 0
        for index in 0..<(text.count - padding) {
            guard let sextet = sextet(text[index]) else { return nil }
            group = group << 6 | sextet
            guard index % 4 == 3 else { continue }
            bytes[written] = UInt8(truncatingIfNeeded: group >> 16)
            bytes[written + 1] = UInt8(truncatingIfNeeded: group >> 8)
            bytes[written + 2] = UInt8(truncatingIfNeeded: group)
            written += 3
            group = 0
        }
        switch padding {
        case 1:
            guard group & 0x3 == 0 else { return nil }
            bytes[written] = UInt8(truncatingIfNeeded: group >> 10)
            bytes[written + 1] = UInt8(truncatingIfNeeded: group >> 2)
            written += 2
        case 2:
            guard group & 0xF == 0 else { return nil }
            bytes[written] = UInt8(truncatingIfNeeded: group >> 4)
            written += 1
        default: break
        }
        return ByteView(start: bytes, count: written)
    }

    static func encoded(_ bytes: [UInt8]) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let word = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? alphabet[Int(word >> UInt32(18 - 6 * place) & 0x3F)] : UInt8(ascii: "="))
            }
        }
        return text
    }

    @inline(__always)
    private static func sextet(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
