import Engine

/// How a record names the schema that it was written by: a zero byte, the schema's number, and the value behind it.
public struct SchemaFraming: BitwiseCopyable, Sendable {
    /// What the number counts.
    public var space: SchemaID.Space
    /// How many bytes the number has, the greatest first: 4 as Confluent writes it, or 8.
    public var numberBytes: NumberBytes

    public enum NumberBytes: Int, BitwiseCopyable, Sendable {
        case four = 4
        case eight = 8
    }

    public init(space: SchemaID.Space = .schema, numberBytes: NumberBytes = .four) {
        self.space = space
        self.numberBytes = numberBytes
    }

    /// A value without its frame.
    public struct Framed: BitwiseCopyable {
        public let schema: SchemaID
        public let bytes: ByteView

        @inlinable init(schema: SchemaID, bytes: ByteView) {
            self.schema = schema
            self.bytes = bytes
        }
    }

    /// nil for what has no such frame: nothing, or something that is not written so.
    @inlinable
    public func open(_ framed: ByteView) -> Framed? {
        let length = 1 + numberBytes.rawValue
        guard framed.count >= length, let start = framed.start, start.pointee == 0 else { return nil }
        let number = UnsafeRawPointer(start + 1)
        let schema = switch numberBytes {
        case .four: Int64(Int32(bigEndian: number.loadUnaligned(as: Int32.self)))
        case .eight: Int64(bigEndian: number.loadUnaligned(as: Int64.self))
        }
        return Framed(schema: SchemaID(space, schema), bytes: ByteView(start: start + length, count: framed.count - length))
    }
}
