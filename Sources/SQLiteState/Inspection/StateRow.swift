import Engine

/// A state table as the file describes it.
public struct StoredTable: Hashable, Sendable {
    let id: Int64
    public let stage: StageName
    public let schema: StateSchema
    /// What it was read from, for errors.
    let origin: String

    /// `stage.table`, which is unique in a state.
    public var fullName: String { "\(stage).\(schema.table)" }
    public var isWindowed: Bool { schema.key == .windowAndKey }
}

/// One record of a state table. Borrowed: valid until the scan that gave it goes on.
public struct StateRow {
    public let table: StoredTable
    public let partition: Int
    /// The key as it is stored: a windowed table's leads with its window's start.
    public let storedKey: ByteView
    public let record: ByteView

    /// Where the record's window starts; nil in a table without windows.
    public var window: EventTime? { table.isWindowed ? WindowKey.start(of: storedKey) : nil }

    /// The key as the job's events have it.
    public var key: ByteView { table.isWindowed ? WindowKey.bareKey(of: storedKey) : storedKey }

    /// The key's timer; nil when none is set or the table has none.
    public var timer: EventTime? {
        guard table.schema.hasTimer else { return nil }
        var reader = ByteReader(record)
        let milliseconds = reader.zigzag()
        return milliseconds == .max || reader.failed ? nil : EventTime(milliseconds: milliseconds)
    }

    /// The fields in the schema's order. Throws kind `corrupt` when the record does not fit it.
    public func values() throws -> [StateValue] {
        var reader = ByteReader(record)
        if table.schema.hasTimer { _ = reader.zigzag() }
        let values = table.schema.fields.map { StateValue($0.type, from: &reader) }
        guard !reader.failed && reader.isAtEnd else {
            throw StateError(
                .corrupt,
                "\(table.origin) is damaged: the record of key '\(key.prefix(64).text)' in state table \(table.fullName) does not fit the table's schema"
            )
        }
        return values
    }
}

/// How a windowed table's stored key is put together: eight bytes of the window's start, whose byte order is time
/// order, then the key.
enum WindowKey {
    static let prefixLength = 8

    static func prefix(_ start: EventTime) -> [UInt8] {
        let bits = UInt64(bitPattern: start.milliseconds) ^ 1 << 63
        return (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * UInt64($0))) }
    }

    static func start(of storedKey: ByteView) -> EventTime? {
        guard storedKey.count >= prefixLength else { return nil }
        var reader = ByteReader(storedKey)
        let bits: UInt64 = reader.fixed()
        return EventTime(milliseconds: Int64(bitPattern: bits.byteSwapped ^ 1 << 63))
    }

    static func bareKey(of storedKey: ByteView) -> ByteView {
        guard storedKey.count >= prefixLength else { return storedKey }
        return ByteView(start: storedKey.start.map { $0 + prefixLength }, count: storedKey.count - prefixLength)
    }

    /// The least eight bytes that no key of this window or of an earlier one leads with; nil after the end of time.
    static func next(after prefix: [UInt8]) -> [UInt8]? {
        var next = Array(prefix.prefix(prefixLength))
        for index in next.indices.reversed() {
            next[index] &+= 1
            if next[index] != 0 { return next }
        }
        return nil
    }
}
