import Synchronization

/// How the delivery to one table stands, for the status page.
public struct TableStatus: Sendable, Equatable {
    public enum State: String, Sendable {
        /// Nothing to deliver.
        case idle
        /// An INSERT is under way.
        case sending
        /// An attempt ended without a clear answer: what landed is being found out.
        case unknown
        /// The server is down or refuses; tried again by itself.
        case waiting
        /// Somebody has to change something: `lastError` says what.
        case stopped
    }

    public let table: String
    public internal(set) var state = State.idle
    /// The last trouble; stays after it is over.
    public internal(set) var lastError: String?
    public internal(set) var batchesDelivered: UInt64 = 0
    public internal(set) var rowsDelivered: UInt64 = 0
    /// INSERTs sent, repeated ones included.
    public internal(set) var insertsSent: UInt64 = 0
    /// The number of the last batch delivered by this process; 0 before.
    public internal(set) var lastBatch: UInt64 = 0

    init(table: String) { self.table = table }
}

/// A table's status, written by its delivering thread and read by any.
final class TableStatusBox: Sendable {
    private let status: Mutex<TableStatus>

    init(table: String) { status = Mutex(TableStatus(table: table)) }

    var current: TableStatus { status.withLock { $0 } }
    func update(_ change: (inout TableStatus) -> Void) { status.withLock { change(&$0) } }
}
