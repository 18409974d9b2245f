/// A growing buffer of bytes with the encodings that state, outbox and batches share.
///
/// Integers are little-endian or LEB128 varints (signed ones zigzag); texts carry their length as a varint in front.
/// The buffer keeps its memory over `removeAll`, so a reused writer stops allocating once it is warm.
public struct ByteWriter: ~Copyable {
    @usableFromInline var memory: UnsafeMutablePointer<UInt8>
    @usableFromInline var capacity: Int
    @inlinable public var count: Int { used }
    @usableFromInline var used: Int

    public init(capacity: Int = 256) {
        self.capacity = max(capacity, 16)
        self.memory = .allocate(capacity: self.capacity)
        self.used = 0
    }

    deinit { memory.deallocate() }

    @inlinable public var isEmpty: Bool { used == 0 }

    /// The bytes written so far, valid until the next write.
    @inlinable public var view: ByteView { ByteView(start: UnsafePointer(memory), count: used) }

    @inlinable public mutating func removeAll() { used = 0 }

    /// Empties the buffer and gives memory back above `kept` bytes.
    package mutating func release(keeping kept: Int) {
        used = 0
        guard capacity > kept else { return }
        memory.deallocate()
        capacity = max(kept, 16)
        memory = .allocate(capacity: capacity)
    }

    /// Makes room for so many bytes at once, so that large contents don't grow by doubling.
    package mutating func reserveExactly(_ total: Int) {
        if total > capacity { grow(toHold: total, exactly: true) }
    }

    /// Cuts the buffer back to its first `length` bytes.
    @inlinable package mutating func truncate(to length: Int) {
        precondition(length <= used)
        used = length
    }

    /// A copy of everything written, in an array of its own.
    public func copy() -> [UInt8] { view.copy() }

    /// A copy of everything written; the buffer is empty afterwards and keeps its memory.
    public mutating func take() -> [UInt8] {
        defer { used = 0 }
        return view.copy()
    }

    @usableFromInline @inline(never)
    mutating func grow(toHold needed: Int, exactly: Bool = false) {
        let larger = exactly ? needed : max(capacity * 2, needed)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.update(from: memory, count: used)
        memory.deallocate()
        memory = moved
        capacity = larger
    }

    @inlinable mutating func reserve(_ additional: Int) {
        if used &+ additional > capacity { grow(toHold: used &+ additional) }
    }

    @inlinable public mutating func write(byte: UInt8) {
        reserve(1)
        memory[used] = byte
        used &+= 1
    }

    @inlinable public mutating func write(raw bytes: ByteView) {
        guard bytes.count > 0 else { return }
        reserve(bytes.count)
        (memory + used).update(from: bytes.start.unsafelyUnwrapped, count: bytes.count)
        used &+= bytes.count
    }

    @inlinable public mutating func write<Number: FixedWidthInteger>(fixed number: Number) {
        let size = MemoryLayout<Number>.size
        reserve(size)
        UnsafeMutableRawPointer(memory + used).storeBytes(of: number.littleEndian, as: Number.self)
        used &+= size
    }

    @inlinable public mutating func write(varint number: UInt64) {
        reserve(10)
        var rest = number
        while rest >= 0x80 {
            memory[used] = UInt8(truncatingIfNeeded: rest) | 0x80
            used &+= 1
            rest >>= 7
        }
        memory[used] = UInt8(truncatingIfNeeded: rest)
        used &+= 1
    }

    @inlinable public mutating func write(zigzag number: Int64) {
        write(varint: UInt64(bitPattern: (number << 1) ^ (number >> 63)))
    }

    /// A 128-bit number as its low and high halves, each a varint, after zigzag.
    @inlinable public mutating func write(zigzag128 number: Int128) {
        // Masking shifts and the bit cast stay free of calls; the plain operators on 128 bits go through protocols.
        let halves = unsafeBitCast((number &<< 1) ^ (number &>> 127), to: SIMD2<UInt64>.self)
        write(varint: halves.x)
        write(varint: halves.y)
    }

    /// The length as a varint, then the bytes.
    @inlinable public mutating func write(text bytes: ByteView) {
        write(varint: UInt64(bytes.count))
        write(raw: bytes)
    }
}
