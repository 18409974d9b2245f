import Engine

/// What is known of a merchant's transactions in one window: of one customer task's, or of all.
struct MerchantTotals: StateRecord, BitwiseCopyable {
    var count: UInt64 = 0
    /// In cents.
    var total: Int128 = 0
    var smallest: Int64 = 0
    var greatest: Int64 = 0
    /// In hundredths.
    var risk: Int128 = 0
    var completed: UInt64 = 0
    var failed: UInt64 = 0
    /// Distinct ones. A customer lives in one task, so that the tasks' numbers add up.
    var customers: UInt64 = 0

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("count", &count)
        visit.field("total", &total)
        visit.field("smallest", &smallest)
        visit.field("greatest", &greatest)
        visit.field("risk", &risk)
        visit.field("completed", &completed)
        visit.field("failed", &failed)
        visit.field("customers", &customers)
    }

    var isSound: Bool {
        count > 0 && SoundTotals.areCounts(count, completed, failed, customers) && SoundTotals.areAmounts(smallest, greatest)
            && SoundTotals.isSum(total, of: count) && SoundTotals.isSum(risk, of: count)
    }

    /// Adds one transaction; `isNewCustomer`: the window's first one of its customer.
    mutating func add(_ transaction: Transaction, isNewCustomer: Bool) {
        var one = MerchantTotals()
        one.count = 1
        one.total = Int128(transaction.amount)
        (one.smallest, one.greatest) = (transaction.amount, transaction.amount)
        one.risk = Int128(transaction.risk)
        one.count(transaction.status)
        one.customers = isNewCustomer ? 1 : 0
        add(one)
    }

    /// Counts a transaction that is in them by its status now.
    mutating func move(_ update: Transaction) {
        switch update.statusBefore {
        case .completed where completed > 0: completed -= 1
        case .failed where failed > 0: failed -= 1
        // Not counted by a status until now.
        case .pending, .other: break
        case .completed, .failed, nil: return
        }
        count(update.status)
    }

    private mutating func count(_ status: Transaction.Status) {
        switch status {
        case .completed: completed += 1
        case .failed: failed += 1
        case .pending, .other: break
        }
    }

    /// Adds what another task knows.
    mutating func add(_ other: MerchantTotals) {
        smallest = count == 0 ? other.smallest : min(smallest, other.smallest)
        greatest = count == 0 ? other.greatest : max(greatest, other.greatest)
        count += other.count
        total += other.total
        risk += other.risk
        completed += other.completed
        failed += other.failed
        customers += other.customers
    }
}
