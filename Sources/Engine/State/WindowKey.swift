/// How a windowed table's stored key is put together: eight bytes of the window's start, whose byte order is time order, then the key.
package enum WindowKey {
    package static let prefixLength = 8

    static func write(_ start: EventTime, into writer: inout ByteWriter) {
        writer.write(fixed: (UInt64(bitPattern: start.milliseconds) ^ 1 << 63).byteSwapped)
    }

    package static func prefix(_ start: EventTime) -> [UInt8] {
        var writer = ByteWriter(capacity: prefixLength)
        write(start, into: &writer)
        return writer.copy()
    }

    /// nil for bytes that are too few to be such a key.
    package static func start(of storedKey: ByteView) -> EventTime? {
        guard storedKey.count >= prefixLength else { return nil }
        var reader = ByteReader(storedKey)
        let bits: UInt64 = reader.fixed()
        return EventTime(milliseconds: Int64(bitPattern: bits.byteSwapped ^ 1 << 63))
    }

    /// The key as the job's events have it.
    package static func bareKey(of storedKey: ByteView) -> ByteView {
        guard storedKey.count >= prefixLength else { return storedKey }
        return ByteView(start: storedKey.start.map { $0 + prefixLength }, count: storedKey.count - prefixLength)
    }

    /// The least eight bytes that no key of this window or of an earlier one leads with; nil after the end of time.
    package static func next(after storedKey: [UInt8]) -> [UInt8]? {
        var next = Array(storedKey.prefix(prefixLength))
        for index in next.indices.reversed() {
            next[index] &+= 1
            if next[index] != 0 { return next }
        }
        return nil
    }
}
