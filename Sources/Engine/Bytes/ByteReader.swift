/// Reads what `ByteWriter` wrote. Damaged or cut-off bytes set `failed` and give zeros, so that a caller checks once.
public struct ByteReader {
    @usableFromInline var position: UnsafePointer<UInt8>?
    @usableFromInline var end: UnsafePointer<UInt8>?
    /// True once anything was read that was not there or not well-formed.
    public var failed = false

    @inlinable public init(_ bytes: ByteView) {
        position = bytes.start
        end = bytes.start.map { $0 + bytes.count }
    }

    @inlinable public var remaining: Int {
        guard let position, let end else { return 0 }
        return end - position
    }

    @inlinable public var isAtEnd: Bool { remaining == 0 }

    @inlinable mutating func fail() {
        failed = true
        position = end
    }

    @inlinable public mutating func byte() -> UInt8 {
        guard remaining > 0, let at = position else {
            fail()
            return 0
        }
        position = at + 1
        return at.pointee
    }

    @inlinable public mutating func raw(_ count: Int) -> ByteView {
        guard count >= 0, count <= remaining, let at = position else {
            if count != 0 { fail() }
            return ByteView(start: position, count: 0)
        }
        position = at + count
        return ByteView(start: at, count: count)
    }

    @inlinable public mutating func fixed<Number: FixedWidthInteger>(_: Number.Type = Number.self) -> Number {
        let size = MemoryLayout<Number>.size
        guard remaining >= size, let at = position else {
            fail()
            return 0
        }
        position = at + size
        return Number(littleEndian: UnsafeRawPointer(at).loadUnaligned(as: Number.self))
    }

    @inlinable public mutating func varint() -> UInt64 {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while let at = position, at < end.unsafelyUnwrapped, shift < 64 {
            let byte = at.pointee
            position = at + 1
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
        fail()
        return 0
    }

    @inlinable public mutating func zigzag() -> Int64 {
        let number = varint()
        return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
    }

    @inlinable public mutating func zigzag128() -> Int128 {
        let low = varint()
        let high = varint()
        let number = unsafeBitCast(SIMD2(low, high), to: UInt128.self)
        return Int128(bitPattern: number &>> 1) ^ -Int128(bitPattern: number & 1)
    }

    @inlinable public mutating func text() -> ByteView {
        let length = varint()
        guard length <= UInt64(remaining) else {
            fail()
            return ByteView(start: position, count: 0)
        }
        return raw(Int(length))
    }
}
