/// When each of a few names was last seen, inside a state record.
///
/// Stored as a varint count, then, unless it is 0, the greatest time as a zigzag varint, then for each name in order of
/// arrival the name, a varint length and its bytes, and how long before that time it was last seen, a varint. In memory
/// times are eight bytes, so that one moves without anything behind it moving.
public struct LastSeenTexts: Sendable {
    private var bytes: [UInt8] = []
    public private(set) var count = 0

    public init() {}

    /// Notes that `text` was seen. Of more than `limit` names those last seen longest ago are forgotten, of a tie the
    /// byte-wise smallest first.
    public mutating func note(_ text: ByteView, at time: EventTime, keeping limit: Int) {
        if !raise(text, to: time) {
            appendVarint(UInt64(text.count), to: &bytes)
            bytes.append(contentsOf: text.buffer)
            append(time.milliseconds)
            count += 1
        }
        while count > limit { removeOldest() }
    }

    /// How many names were last seen after `bound`.
    public func count(after bound: EventTime) -> Int {
        var found = 0
        forEach { _, time in
            if time > bound { found += 1 }
        }
        return found
    }

    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        count = 0
    }

    /// False when the name is not there.
    private mutating func raise(_ text: ByteView, to time: EventTime) -> Bool {
        bytes.withUnsafeMutableBytes { all in
            var reader = ByteReader(ByteView(UnsafeRawBufferPointer(all)))
            while !reader.isAtEnd {
                let name = reader.text()
                let offset = all.count - reader.remaining
                let before = reader.fixed(Int64.self)
                guard name == text else { continue }
                if time.milliseconds > before { all.storeBytes(of: time.milliseconds.littleEndian, toByteOffset: offset, as: Int64.self) }
                return true
            }
            return false
        }
    }

    private mutating func append(_ milliseconds: Int64) {
        var rest = UInt64(bitPattern: milliseconds)
        for _ in 0..<8 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    private mutating func removeOldest() {
        let oldest = bytes.withUnsafeBytes { all -> Range<Int> in
            var reader = ByteReader(ByteView(all))
            var found: (name: ByteView, time: Int64, place: Range<Int>)?
            while !reader.isAtEnd {
                let start = all.count - reader.remaining
                let name = reader.text()
                let time = reader.fixed(Int64.self)
                if let known = found, (known.time, known.name) <= (time, name) { continue }
                found = (name, time, start..<all.count - reader.remaining)
            }
            return found?.place ?? 0..<0
        }
        bytes.removeSubrange(oldest)
        count -= 1
    }

    private func forEach(_ body: (ByteView, EventTime) -> Void) {
        bytes.withUnsafeBytes { all in
            var reader = ByteReader(ByteView(all))
            while !reader.isAtEnd { body(reader.text(), EventTime(milliseconds: reader.fixed())) }
        }
    }

    @usableFromInline
    func encode(into writer: inout ByteWriter) {
        writer.write(varint: UInt64(count))
        guard count > 0 else { return }
        var greatest = EventTime.distantPast
        forEach { greatest = max(greatest, $1) }
        writer.write(zigzag: greatest.milliseconds)
        bytes.withUnsafeBytes { all in
            var reader = ByteReader(ByteView(all))
            while !reader.isAtEnd {
                writer.write(text: reader.text())
                writer.write(varint: UInt64(bitPattern: greatest.milliseconds &- reader.fixed(Int64.self)))
            }
        }
    }

    @usableFromInline
    mutating func decode(from reader: inout ByteReader) {
        removeAll()
        let stored = reader.varint()
        // A name takes at least two bytes.
        guard stored <= UInt64(reader.remaining) else {
            reader.fail()
            return
        }
        guard stored > 0 else { return }
        let greatest = reader.zigzag()
        for _ in 0..<stored {
            let name = reader.text()
            appendVarint(UInt64(name.count), to: &bytes)
            bytes.append(contentsOf: name.buffer)
            append(greatest &- Int64(bitPattern: reader.varint()))
        }
        count = Int(stored)
    }
}
