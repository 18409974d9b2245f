/// Borrowed bytes: a pointer and a length into memory that somebody else keeps alive, for the time of a call.
///
/// The hot path passes these around instead of `String` or `[UInt8]`: no reference is counted and nothing copied.
/// A view must not be kept beyond the call that it was given to; `copy()` or a state record keeps the bytes.
@frozen
public struct ByteView: BitwiseCopyable, @unchecked Sendable {  // Sendable: like a raw pointer, safe as far as its owner keeps the memory.
    /// nil for the null view, which is different from an empty one (a Kafka value may be either).
    public let start: UnsafePointer<UInt8>?
    public let count: Int

    @inlinable public init(start: UnsafePointer<UInt8>?, count: Int) {
        self.start = start
        self.count = count
    }

    @inlinable public init(_ buffer: UnsafeRawBufferPointer) {
        self.start = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        self.count = buffer.count
    }

    /// No bytes and no value, as Kafka's null key or value.
    @inlinable public static var null: ByteView { ByteView(start: nil, count: 0) }

    @inlinable public var isNull: Bool { start == nil }
    @inlinable public var isEmpty: Bool { count == 0 }

    @inlinable public subscript(index: Int) -> UInt8 {
        assert(index >= 0 && index < count)
        return start.unsafelyUnwrapped[index]
    }

    @inlinable public var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }
    @inlinable public var rawBuffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// The first `length` bytes, or all of them when there are fewer.
    /// The bytes after the first so many; none where it has no more.
    @inlinable package func dropFirst(_ length: Int) -> ByteView {
        guard let start, length < count else { return ByteView(start: start, count: 0) }
        return ByteView(start: start + length, count: count - length)
    }
    @inlinable public func prefix(_ length: Int) -> ByteView { ByteView(start: start, count: min(length, count)) }

    public func copy() -> [UInt8] { [UInt8](buffer) }

    /// The bytes as text, invalid UTF-8 repaired: for messages, never for the record path.
    public var text: String { String(decoding: buffer, as: UTF8.self) }
}

extension ByteView: Equatable {
    /// Equal bytes; a null view equals an empty one, because both hold no bytes.
    @inlinable public static func == (left: ByteView, right: ByteView) -> Bool {
        guard left.count == right.count else { return false }
        guard left.count > 0 else { return true }
        return bytesAreEqual(left.start.unsafelyUnwrapped, right.start.unsafelyUnwrapped, left.count)
    }

    /// Equal to a text known at compile time.
    @inlinable public static func == (left: ByteView, right: StaticString) -> Bool {
        left == ByteView(start: right.utf8Start, count: right.utf8CodeUnitCount)
    }
}

extension ByteView: Comparable {
    /// Byte-wise order, a prefix before what it is a prefix of.
    @inlinable public static func < (left: ByteView, right: ByteView) -> Bool {
        let common = min(left.count, right.count)
        var index = 0
        while index < common {
            let (a, b) = (left[index], right[index])
            if a != b { return a < b }
            index += 1
        }
        return left.count < right.count
    }
}

/// `memcmp(a, b, count) == 0` without linking C: eight bytes at a time.
@inlinable
func bytesAreEqual(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    let (a, b) = (UnsafeRawPointer(left), UnsafeRawPointer(right))
    var offset = 0
    while offset &+ 8 <= count {
        if a.loadUnaligned(fromByteOffset: offset, as: UInt64.self) != b.loadUnaligned(fromByteOffset: offset, as: UInt64.self) {
            return false
        }
        offset &+= 8
    }
    while offset < count {
        if left[offset] != right[offset] { return false }
        offset &+= 1
    }
    return true
}
