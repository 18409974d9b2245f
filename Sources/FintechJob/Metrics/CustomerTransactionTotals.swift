import Engine

/// What is kept of a customer's transactions in one window.
struct CustomerTransactionTotals: StateRecord {
    var count: UInt64 = 0
    /// In cents.
    var total: Int128 = 0
    var fees: Int128 = 0
    var smallest: Int64 = 0
    var greatest: Int64 = 0
    /// In hundredths.
    var risk: Int128 = 0
    var completed: UInt64 = 0
    var failed: UInt64 = 0
    var pending: UInt64 = 0
    var firstAt = EventTime.distantFuture
    var lastAt = EventTime.distantPast
    var lastAmount: Int64 = 0
    var lastType = TextField()
    var types = TextCounts()
    var locations = TextCounts()
    var devices = TextCounts()
    var merchants = TextSet()

    mutating func reset() {
        (count, total, fees, smallest, greatest, risk) = (0, 0, 0, 0, 0, 0)
        (completed, failed, pending) = (0, 0, 0)
        (firstAt, lastAt, lastAmount) = (.distantFuture, .distantPast, 0)
        lastType.clear()
        types.removeAll()
        locations.removeAll()
        devices.removeAll()
        merchants.removeAll()
    }

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("count", &count)
        visit.field("total", &total)
        visit.field("fees", &fees)
        visit.field("smallest", &smallest)
        visit.field("greatest", &greatest)
        visit.field("risk", &risk)
        visit.field("completed", &completed)
        visit.field("failed", &failed)
        visit.field("pending", &pending)
        visit.field("firstAt", &firstAt)
        visit.field("lastAt", &lastAt)
        visit.field("lastAmount", &lastAmount)
        visit.field("lastType", &lastType)
        visit.field("types", &types)
        visit.field("locations", &locations)
        visit.field("devices", &devices)
        visit.field("merchants", &merchants)
    }

    var isSound: Bool {
        count > 0 && SoundTotals.areCounts(count, completed, failed, pending) && SoundTotals.areAmounts(smallest, greatest, lastAmount)
            && SoundTotals.isSum(total, of: count) && SoundTotals.isSum(fees, of: count) && SoundTotals.isSum(risk, of: count)
    }

    mutating func add(_ transaction: Transaction) {
        smallest = count == 0 ? transaction.amount : min(smallest, transaction.amount)
        greatest = count == 0 ? transaction.amount : max(greatest, transaction.amount)
        count += 1
        total += Int128(transaction.amount)
        fees += Int128(transaction.fee)
        risk += Int128(transaction.risk)
        count(transaction.status)
        firstAt = min(firstAt, transaction.createdAt)
        if transaction.createdAt >= lastAt {
            // Of two at the same time the later in the log is the last.
            lastAt = transaction.createdAt
            lastAmount = transaction.amount
            lastType.set(transaction.type)
        }
        types.increment(transaction.type)
        if !transaction.country.isNull { locations.increment(transaction.country) }
        if !transaction.deviceFingerprint.isNull { devices.increment(transaction.deviceFingerprint) }
        if !transaction.merchantID.isNull { merchants.insert(transaction.merchantID) }
    }

    /// Counts a transaction that is in them by its status now.
    mutating func move(_ update: Transaction) {
        switch update.statusBefore {
        case .completed where completed > 0: completed -= 1
        case .failed where failed > 0: failed -= 1
        case .pending where pending > 0: pending -= 1
        // Not counted by a status until now.
        case .other: break
        case .completed, .failed, .pending, nil: return
        }
        count(update.status)
    }

    private mutating func count(_ status: Transaction.Status) {
        switch status {
        case .completed: completed += 1
        case .failed: failed += 1
        case .pending: pending += 1
        case .other: break
        }
    }
}
