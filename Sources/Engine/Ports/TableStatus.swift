/// How the delivery to one table stands, for the status page.
public struct TableStatus: Sendable, Equatable {
    public enum State: String, Sendable {
        /// Nothing to deliver.
        case idle
        /// An INSERT, or a transaction, is under way.
        case sending
        /// An attempt ended without a clear answer: what landed is being found out.
        case unknown
        /// The server is down or refuses; tried again by itself.
        case waiting
        /// Somebody has to change something: `lastError` says what.
        case stopped
    }

    /// As batches name it.
    public let table: String
    public var state = State.idle
    /// The last trouble; stays after it is over.
    public var lastError: String?
    public var batchesDelivered: UInt64 = 0
    public var rowsDelivered: UInt64 = 0
    /// INSERTs or transactions sent, repeated ones included.
    public var insertsSent: UInt64 = 0
    /// Batches that are taken as delivered although they could not be counted, because something takes rows out of the table.
    public var batchesUncounted: UInt64 = 0
    /// The number of the last batch delivered by this process; 0 before.
    public var lastBatch: UInt64 = 0

    public init(table: String) { self.table = table }
}
