import Engine

/// Debezium writes a row whose key was changed as a deletion under the old key and a creation under the new one, and names in a header of
/// each the key of the other.
extension SourceRecord {
    static var oldKeyHeader: StaticString { "__debezium.oldkey" }
    static var newKeyHeader: StaticString { "__debezium.newkey" }

    /// Of a creation: the row was there before, under another key.
    var wasUnderAnotherKey: Bool { headers.value(of: SourceRecord.oldKeyHeader) != nil }

    /// Of a deletion: the row is still there, under another key.
    var goesOnUnderAnotherKey: Bool { headers.value(of: SourceRecord.newKeyHeader) != nil }
}
