import Engine

/// The status that a transaction is counted with, as long as a window that it counts in is open.
struct CountedStatus: StateRecord, BitwiseCopyable {
    private var status: UInt64 = 0
    /// Where the database's log has the change that was followed last; 0 before the first, or where it doesn't say.
    private var logPosition: UInt64 = 0

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("status", &status)
        visit.field("logPosition", &logPosition)
    }

    var isSound: Bool { UInt8(exactly: status).flatMap { Transaction.Status(rawValue: $0) } != nil }

    /// Counted as it was created.
    init(_ transaction: Transaction) { status = UInt64(transaction.status.rawValue) }

    init() {}

    /// Follows a change of status; the name that it is skipped under where it is none of what is counted.
    mutating func follow(from before: Transaction.Status, to after: Transaction.Status, at position: UInt64) -> StaticString? {
        if position > 0, position <= logPosition { return AmendmentRefusal.repeated }
        guard status == UInt64(before.rawValue) else {
            return status == UInt64(after.rawValue) ? AmendmentRefusal.repeated : "unmatched_update"
        }
        status = UInt64(after.rawValue)
        logPosition = position
        return nil
    }
}
