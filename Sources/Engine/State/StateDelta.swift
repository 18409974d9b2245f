/// What one epoch changed in one state table of one task: the unit that is appended durably and, later, shipped.
///
/// Bytes, in this order (integers are varints, stored keys and records carry their length in front):
/// ```
/// format (1 byte, = 1)
/// count of closed windows, each: start (8 bytes, big-endian, sign bit flipped)
/// count of removed keys, each: key
/// count of stored records, each: key, record
/// ```
/// Closed windows apply first, then removals, then records. In a windowed table a key leads with its window's start
/// in the same eight bytes, so that byte order is time order.
@usableFromInline package struct StateDelta: Sendable {
    package static let format: UInt8 = 1

    package let table: String
    package let bytes: [UInt8]

    package init(table: String, bytes: [UInt8]) {
        self.table = table
        self.bytes = bytes
    }

    /// What applying a delta meets, in order.
    @usableFromInline package enum Change {
        /// All keys of the window that starts there are gone; the eight bytes that lead them.
        case windowClosed(prefix: ByteView)
        case removed(key: ByteView)
        case stored(key: ByteView, record: ByteView)
    }

    /// Goes through the changes in `bytes`. False when they are damaged or of an unknown format.
    package static func forEachChange(in bytes: ByteView, _ body: (Change) throws -> Void) rethrows -> Bool {
        var reader = ByteReader(bytes)
        guard reader.byte() == format else { return false }
        for section in 0..<3 {
            let count = reader.varint()
            guard count <= UInt64(bytes.count) else { return false }
            for _ in 0..<count {
                let change: Change =
                    switch section {
                    case 0: .windowClosed(prefix: reader.raw(WindowKey.prefixLength))
                    case 1: .removed(key: reader.text())
                    default: .stored(key: reader.text(), record: reader.text())
                    }
                guard !reader.failed else { return false }
                try body(change)
            }
        }
        return !reader.failed && reader.isAtEnd
    }
}
