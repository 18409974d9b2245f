import Engine

/// What a customer's transactions of late make of them. Raw values are stored, and greater ones are better.
enum CustomerTier: UInt64 {
    case basic, standard, premium, vip

    /// By the mean of these amounts in cents, compared exactly.
    init(recent amounts: borrowing RecentNumbers) {
        let (sum, count) = (amounts.sum, Int128(amounts.count))
        self = sum >= 5_000_00 * count ? .vip : sum >= 1_000_00 * count ? .premium : sum >= 200_00 * count ? .standard : .basic
    }

    var name: StaticString {
        switch self {
        case .basic: "basic"
        case .standard: "standard"
        case .premium: "premium"
        case .vip: "vip"
        }
    }
}

/// How far the customer's identity is checked. Raw values are stored.
enum KYCStatus: UInt64 {
    case pending, completed, rejected

    /// From the status of a profile.
    init(profile status: ByteView) {
        self = status == "verified" ? .completed : status == "rejected" ? .rejected : .pending
    }

    var name: StaticString {
        switch self {
        case .pending: "pending"
        case .completed: "completed"
        case .rejected: "rejected"
        }
    }
}

/// A customer's way so far.
struct CustomerStanding: StateRecord {
    var count: UInt64 = 0
    /// In cents.
    var total: Int128 = 0
    /// The last 20 amounts in log order, in cents.
    var amounts = RecentNumbers()
    private var storedTier = CustomerTier.basic.rawValue
    private var storedStatus = KYCStatus.pending.rawValue
    var tierChanges: UInt64 = 0
    /// Of the session that was reported last; empty for none.
    var reportedSession = TextField()
    /// The channel seen last; empty for none.
    var channel = TextField()
    var isChurned = false
    /// Of the customer's latest row; `distantFuture` without one.
    var rowTime = EventTime.distantFuture
    /// The profile's risk on the customer's latest row, in hundredths.
    var rowRisk: Int64 = 0

    /// What this version does not know was stored by no version before it.
    var tier: CustomerTier {
        get { CustomerTier(rawValue: storedTier) ?? .basic }
        set { storedTier = newValue.rawValue }
    }

    var status: KYCStatus {
        get { KYCStatus(rawValue: storedStatus) ?? .pending }
        set { storedStatus = newValue.rawValue }
    }

    var isSound: Bool {
        count > 0 && SoundTotals.areCounts(count, tierChanges) && SoundTotals.isSum(total, of: count) && SoundTotals.areAmounts(rowRisk)
            && (rowTime == .distantFuture || StoredBounds.clock.contains(rowTime.milliseconds))
    }

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("count", &count)
        visit.field("total", &total)
        visit.field("amounts", &amounts)
        visit.field("tier", &storedTier)
        visit.field("kycStatus", &storedStatus)
        visit.field("tierChanges", &tierChanges)
        visit.field("reportedSession", &reportedSession)
        visit.field("channel", &channel)
        visit.field("isChurned", &isChurned)
        visit.field("rowTime", &rowTime)
        visit.field("rowRisk", &rowRisk)
    }

    mutating func reset() {
        (count, total, tierChanges) = (0, 0, 0)
        (storedTier, storedStatus) = (CustomerTier.basic.rawValue, KYCStatus.pending.rawValue)
        (isChurned, rowTime, rowRisk) = (false, .distantFuture, 0)
        amounts.removeAll()
        reportedSession.clear()
        channel.clear()
    }
}
