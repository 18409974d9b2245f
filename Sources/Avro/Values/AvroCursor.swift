import Engine

/// Goes through the bytes of a record; nothing is read beyond their end. What can't be read gives nil or false, whatever the bytes.
@usableFromInline
struct AvroCursor {
    @usableFromInline var at: UnsafePointer<UInt8>
    @usableFromInline let end: UnsafePointer<UInt8>

    @inlinable init?(_ bytes: ByteView) {
        guard let start = bytes.start else { return nil }
        at = start
        end = start + bytes.count
    }

    @inlinable var remaining: Int { end - at }

    /// An int or a long, up to ten bytes.
    @inline(__always) @inlinable
    mutating func long() -> Int64? {
        guard at < end else { return nil }
        let first = at.pointee
        at += 1
        guard first >= 0x80 else { return AvroCursor.uncompacted(UInt64(first)) }
        var number = UInt64(first & 0x7F)
        var shift: UInt64 = 7
        while at < end {
            let byte = at.pointee
            at += 1
            number |= UInt64(byte & 0x7F) &<< shift
            // The tenth byte has one bit left.
            if byte < 0x80 { return shift == 63 && byte > 1 ? nil : AvroCursor.uncompacted(number) }
            shift &+= 7
            if shift > 63 { return nil }
        }
        return nil
    }

    @inline(__always) @inlinable
    static func uncompacted(_ number: UInt64) -> Int64 { Int64(bitPattern: number &>> 1) ^ -Int64(bitPattern: number & 1) }

    @inline(__always) @inlinable
    mutating func take(_ count: Int) -> ByteView? {
        guard count <= remaining else { return nil }
        let view = ByteView(start: at, count: count)
        at += count
        return view
    }

    /// Bytes with their length before them.
    @inline(__always) @inlinable
    mutating func lengthAndBytes() -> ByteView? {
        guard let length = long(), length >= 0, length <= Int64(remaining) else { return nil }
        return take(Int(length))
    }

    @inline(__always) @inlinable
    mutating func word32() -> UInt32? {
        guard remaining >= 4 else { return nil }
        defer { at += 4 }
        return UInt32(littleEndian: UnsafeRawPointer(at).loadUnaligned(as: UInt32.self))
    }

    @inline(__always) @inlinable
    mutating func word64() -> UInt64? {
        guard remaining >= 8 else { return nil }
        defer { at += 8 }
        return UInt64(littleEndian: UnsafeRawPointer(at).loadUnaligned(as: UInt64.self))
    }
}
