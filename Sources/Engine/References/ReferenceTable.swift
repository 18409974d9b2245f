/// A reference topic as every worker holds it: whole, in memory, by key; what processors look things up in.
///
/// One object a worker, shared by all its tasks. Tasks read it only while they process, and the worker changes it only
/// while none does; so nothing here is locked.
///
/// `@unchecked Sendable`: see above; the worker's lock around processing is what makes it true.
public final class ReferenceTable: @unchecked Sendable {
    public let name: String
    private var table = KeyedTable()
    private var encoder = FieldEncoder()

    package init(name: String) { self.name = name }

    /// How many keys it holds.
    public var count: Int { table.count }
    package var memoryBytes: Int { table.memoryBytes }

    /// Fills `record` with what is held under `key`. False, and `record` as it was, when there is nothing. All that is held can be
    /// read: `set` takes nothing that is not sound, and what comes from the copy is looked at before.
    @inlinable
    public func find<Record: StateRecord>(_ key: ByteView, into record: inout Record) -> Bool {
        guard let bytes = encoded(key) else { return false }
        let isRead = FieldDecoder.decode(bytes, into: &record)
        precondition(isRead, "reference \(name) was asked for another type of record than it holds")
        return true
    }

    /// The encoded record held under `key`, valid until the table changes.
    @usableFromInline
    func encoded(_ key: ByteView) -> ByteView? {
        guard case .record(let bytes, _) = table.lookup(key, hash: table.hash(of: key)) else { return nil }
        return bytes
    }

    /// Hands over everything that is held, in no order.
    public func forEach(_ body: (_ key: ByteView, _ record: ByteView) -> Void) { table.forEach(body) }

    // MARK: - Changing

    /// Holds `record` under `key`; changes nothing and says why when it is not sound.
    public func set<Record: StateRecord>(_ key: ByteView, to record: inout Record) -> ReferenceOutcome {
        guard record.isSound else { return .unusable(.outOfBounds) }
        table.store(encoder.encode(&record), for: key, hash: table.hash(of: key))
        return .applied
    }

    public func remove(_ key: ByteView) { table.remove(key, hash: table.hash(of: key)) }

    /// Forgets everything (a truncated topic); `takeChanges` then says so first.
    package func removeAll() {
        table = KeyedTable()
        wasEmptied = true
    }

    private var wasEmptied = false

    /// Hands over what changed since the last call, for the durable copy: whether everything before is gone, then the
    /// keys removed and the records stored.
    package func takeChanges(emptied: () throws -> Void, removed: (ByteView) -> Void, stored: (_ key: ByteView, _ record: ByteView) -> Void)
        rethrows
    {
        if wasEmptied { try emptied() }
        wasEmptied = false
        table.takeChanges(removed: removed, stored: stored)
        table.forgetTombstones(compactedThrough: .max)
    }

    /// Puts a record of the durable copy, which can be read, into memory, without listing it as a change.
    package func load(_ record: ByteView, for key: ByteView) { table.load(record, for: key, changedIn: 0) }
}
