import Engine

/// A state table as the file describes it.
package struct StoredTable: Hashable, Sendable {
    let id: Int64
    package let stage: StageName
    package let schema: StateSchema
    /// What it was read from, for errors.
    let origin: String

    /// `stage.table`, which is unique in a state.
    package var fullName: String { "\(stage).\(schema.table)" }
    package var isWindowed: Bool { schema.key == .windowAndKey }
}

/// One record of a state table. Borrowed: valid until the scan that gave it goes on.
package struct StateRow {
    package let table: StoredTable
    package let partition: Int
    /// The key as it is stored: a windowed table's leads with its window's start.
    package let storedKey: ByteView
    package let record: ByteView

    /// Where the record's window starts; nil in a table without windows.
    package var window: EventTime? { table.isWindowed ? WindowKey.start(of: storedKey) : nil }

    /// The key as the job's events have it.
    package var key: ByteView { table.isWindowed ? WindowKey.bareKey(of: storedKey) : storedKey }

    /// The key's timer; nil when none is set or the table has none.
    package var timer: EventTime? {
        guard table.schema.hasTimer else { return nil }
        var reader = ByteReader(record)
        let milliseconds = reader.zigzag()
        return milliseconds == .max || reader.failed ? nil : EventTime(milliseconds: milliseconds)
    }

    /// The fields in the schema's order. Throws kind `corrupt` when the record does not fit it.
    package func values() throws -> [StateValue] {
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
