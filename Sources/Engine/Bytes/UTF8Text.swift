extension ByteView {
    /// Whether the bytes are valid UTF-8 (RFC 3629, section 4): nothing cut off, no surrogates, nothing longer than it need be.
    @inlinable public var isUTF8: Bool {
        guard let start else { return true }
        var at = 0
        while at &+ 8 <= count {
            guard UnsafeRawPointer(start).loadUnaligned(fromByteOffset: at, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 else {
                return isUTF8(from: at)
            }
            at &+= 8
        }
        while at < count {
            guard start[at] < 0x80 else { return isUTF8(from: at) }
            at &+= 1
        }
        return true
    }

    @usableFromInline func isUTF8(from first: Int) -> Bool {
        guard let start else { return true }
        var at = first
        while at < count {
            guard start[at] >= 0x80 else {
                at += 1
                continue
            }
            let length = ByteView.lengthOfMultibyte(start + at, before: start + count)
            guard length > 0 else { return false }
            at += length
        }
        return true
    }

    /// The bytes of the character beyond ASCII that begins at `at`; 0 when they are not UTF-8.
    @inlinable package static func lengthOfMultibyte(_ at: UnsafePointer<UInt8>, before end: UnsafePointer<UInt8>) -> Int {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch at.pointee {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return 0
        }
        guard end - at >= length, second.contains(at[1]) else { return 0 }
        for index in 2..<max(length, 2) where at[index] & 0xC0 != 0x80 { return 0 }
        return length
    }
}
