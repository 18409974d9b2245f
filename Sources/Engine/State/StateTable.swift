/// A state table of one task as the engine's own machinery sees it: restored at the start, cut once an epoch, evicted.
@usableFromInline package protocol StateTable: AnyObject {
    var declaration: StateDeclaration { get }
    var memoryBytes: Int { get }
    /// When the earliest of its timers may be due; nil when none is set.
    var earliestTimer: EventTime? { get }
    /// True when a start loads all of it, whatever the memory budget: what a miss means must be known without a read.
    var isHeldWhole: Bool { get }
    /// The changes since the last cut, nil when there are none; the next epoch starts.
    func cut() -> StateDelta?
    /// Applies one change read from the durable file; `isCompacted` when it comes from the keyed rows.
    /// False when the bytes are not what the table stores.
    func restore(_ change: StateDelta.Change, isCompacted: Bool) -> Bool
    /// Says that the durable file holds a compacted record under `key` which was not restored: from here on a miss in its
    /// window, or in the whole table, asks `cold`. Said for at least one key of each such window. False as in `restore`.
    func noteUnloaded(_ key: ByteView) -> Bool
    /// How many names a set, or counts, of a record hold at most; at least 1024. Set before the first record.
    var namesPerRecord: Int { get set }
    /// That names found no room in their records since this was asked last; nil when all did.
    func takeNamesLeftOut() -> NamesLeftOut?
    /// Says that the durable file has compacted every change up to that of this many cuts, and gives back about `bytes` of
    /// memory. Returns how many were: fewer when nothing can be given or that would take long; the next call goes on.
    func release(compactedThrough epoch: UInt32, evicting bytes: Int) -> Int
}

extension StateTable {
    /// How many records a call of `release` looks at: a few milliseconds' work.
    static var recordsReleasedAtOnce: Int { 16_384 }

    @usableFromInline package var earliestTimer: EventTime? { nil }

    @usableFromInline package var schema: StateSchema { declaration.schema }

    @usableFromInline package var namesPerRecord: Int {
        get { NameBound.usual }
        set {}
    }

    @usableFromInline package func takeNamesLeftOut() -> NamesLeftOut? { nil }

    /// Timers are needed at once.
    @usableFromInline package var isHeldWhole: Bool { schema.hasTimer }
}

/// Reads records that were evicted from memory.
///
/// An implementor answers from the keyed rows alone: records that are not compacted yet are never evicted. It may block
/// for a read of the local disk; it may be called from the thread of any task.
public protocol ColdStateReader: Sendable {
    /// Calls `body` with the record stored under `key`, if there is one.
    func read(task: TaskID, table: String, key: ByteView, _ body: (ByteView) -> Void) throws
    /// Calls `body` with every record whose key starts with `prefix`, in key order.
    func scan(task: TaskID, table: String, prefix: ByteView, _ body: (_ key: ByteView, _ record: ByteView) -> Void) throws
}
