/// A text inside a state record: bytes of its own, whose memory is used again when the record is.
public struct TextField: Sendable, Equatable {
    @usableFromInline var bytes: [UInt8] = []

    public init() {}

    /// The text as bytes, valid until the field changes. Never the null view.
    @inlinable public var view: ByteView {
        // An array's memory does not move while the record that owns it is not written to.
        bytes.withUnsafeBufferPointer { ByteView(start: $0.baseAddress, count: $0.count) }
    }

    @inlinable public var isEmpty: Bool { bytes.isEmpty }

    @inlinable public mutating func set(_ text: ByteView) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: text.buffer)
    }

    @inlinable public mutating func clear() { bytes.removeAll(keepingCapacity: true) }
}
