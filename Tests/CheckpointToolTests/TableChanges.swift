import Engine

/// What an epoch changes in one state table, made into the delta that a task would hand over.
struct TableChanges {
    let schema: StateSchema
    private var closed: [EventTime] = []
    private var removed: [[UInt8]] = []
    private var stored: [(key: [UInt8], record: [UInt8])] = []

    init(_ schema: StateSchema) { self.schema = schema }

    static func window(_ start: EventTime) -> [UInt8] {
        let bits = UInt64(bitPattern: start.milliseconds) ^ 1 << 63
        return (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * UInt64($0))) }
    }

    mutating func close(_ start: EventTime) { closed.append(start) }
    mutating func remove(_ key: String, window: EventTime? = nil) {
        removed.append((window.map(TableChanges.window) ?? []) + Array(key.utf8))
    }

    mutating func store(_ key: String, window: EventTime? = nil, timer: EventTime? = nil, _ record: some StateRecord) {
        store(Array(key.utf8), window: window, timer: timer, record)
    }

    mutating func store(_ key: [UInt8], window: EventTime? = nil, timer: EventTime? = nil, _ record: some StateRecord) {
        var writer = ByteWriter()
        if schema.hasTimer { writer.write(zigzag: timer?.milliseconds ?? .max) }
        var encoder = FieldEncoder()
        var record = record
        writer.write(raw: encoder.encode(&record))
        stored.append(((window.map(TableChanges.window) ?? []) + key, writer.copy()))
    }

    var delta: StateDelta {
        var writer = ByteWriter()
        writer.write(byte: StateDelta.format)
        writer.write(varint: UInt64(closed.count))
        for start in closed { TableChanges.window(start).withUnsafeBytes { writer.write(raw: ByteView($0)) } }
        writer.write(varint: UInt64(removed.count))
        for key in removed { key.withUnsafeBytes { writer.write(text: ByteView($0)) } }
        writer.write(varint: UInt64(stored.count))
        for (key, record) in stored {
            key.withUnsafeBytes { writer.write(text: ByteView($0)) }
            record.withUnsafeBytes { writer.write(text: ByteView($0)) }
        }
        return StateDelta(table: schema.table, bytes: writer.copy())
    }
}
