import Engine

/// Follows each customer's way by their transactions in log order, profile and latest session; a row for each step.
struct CustomerLifecycle: KeyedProcessor {
    static let name = "customer_lifecycle_analytics"
    static let version = 1

    private let churnAfter: EventSpan
    private let customers: ReferenceTable
    private let sessions: ReferenceTable
    private let rows: LifecycleRowWriter
    private var profile = Customer()
    private var session = LatestSession()

    /// `churnAfter`: how long after the latest transaction a customer counts as lost.
    init(churnAfter: EventSpan, customers: ReferenceTable, sessions: ReferenceTable, rows: RowWriter) {
        self.churnAfter = churnAfter
        self.customers = customers
        self.sessions = sessions
        self.rows = LifecycleRowWriter(rows)
    }

    func key(of transaction: Transaction) -> ByteView? { transaction.customerID }

    mutating func process(_ transaction: Transaction, at time: EventTime, key: ByteView, state: inout Keyed<CustomerStanding>) {
        look(up: key)
        state.timer = time + churnAfter
        let before = state.record.total
        state.record.count += 1
        state.record.total += Int128(transaction.amount)
        state.record.amounts.append(transaction.amount, keeping: 20)
        if state.record.count == 1 { state.record.status = KYCStatus(profile: profile.kycStatus.view) }
        var step = LifecycleStep(customer: key, time: time)

        if state.record.isChurned {
            state.record.isChurned = false
            write(.reactivated, &step, &state.record)
        }
        if state.record.count == 1 { write(.firstTransaction, &step, &state.record) }
        checkTier(&step, &state.record)
        checkStatus(&step, &state.record)
        if before < 5_000_00 && state.record.total >= 5_000_00 { write(.highValue, &step, &state.record) }
        if state.record.count == 51 { write(.highActivity, &step, &state.record) }
        if state.record.count == 100 { write(.powerUser, &step, &state.record) }
        checkSession(&step, &state.record)
    }

    mutating func timerFired(at time: EventTime, key: ByteView, state: inout Keyed<CustomerStanding>) {
        look(up: key)
        state.record.isChurned = true
        var step = LifecycleStep(customer: key, time: time)
        write(.churned, &step, &state.record)
    }

    private mutating func look(up customer: ByteView) {
        if !customers.find(customer, into: &profile) { profile.reset() }
        if !sessions.find(customer, into: &session) { session.reset() }
    }

    private func checkTier(_ step: inout LifecycleStep, _ standing: inout CustomerStanding) {
        let (before, now) = (standing.tier, CustomerTier(recent: standing.amounts))
        guard before != now else { return }
        standing.tier = now
        standing.tierChanges += 1
        step.previousTier = before
        write(now.rawValue > before.rawValue ? .tierUpgrade : .tierDowngrade, &step, &standing)
    }

    private func checkStatus(_ step: inout LifecycleStep, _ standing: inout CustomerStanding) {
        guard standing.status == .pending, standing.count > 10, standing.total > 10_000_00 else { return }
        standing.status = .completed
        step.previousStatus = .pending
        write(.kycCompleted, &step, &standing)
    }

    private func checkSession(_ step: inout LifecycleStep, _ standing: inout CustomerStanding) {
        if session.actions > 20, session.id != standing.reportedSession {
            standing.reportedSession.set(session.id.view)
            write(.highEngagement, &step, &standing)
        }
        guard !session.channel.isEmpty, session.channel != standing.channel else { return }
        let isFirst = standing.channel.isEmpty
        standing.channel.set(session.channel.view)
        if !isFirst { write(.multiChannel, &step, &standing) }
    }

    private func write(_ event: LifecycleEvent, _ step: inout LifecycleStep, _ standing: inout CustomerStanding) {
        rows.write(event, step, standing, profile, session)
        standing.rowTime = step.time
        standing.rowRisk = profile.risk
        (step.previousTier, step.previousStatus) = (nil, nil)
    }
}

/// A step on a customer's way.
enum LifecycleEvent {
    case reactivated, firstTransaction, tierUpgrade, tierDowngrade, kycCompleted, highValue, highActivity, powerUser
    case highEngagement, multiChannel, churned

    var name: StaticString {
        switch self {
        case .reactivated: "REACTIVATED"
        case .firstTransaction: "FIRST_TRANSACTION"
        case .tierUpgrade: "TIER_UPGRADE"
        case .tierDowngrade: "TIER_DOWNGRADE"
        case .kycCompleted: "KYC_COMPLETED"
        case .highValue: "HIGH_VALUE_CUSTOMER"
        case .highActivity: "HIGH_ACTIVITY_CUSTOMER"
        case .powerUser: "POWER_USER"
        case .highEngagement: "HIGH_ENGAGEMENT_SESSION"
        case .multiChannel: "MULTI_CHANNEL_CUSTOMER"
        case .churned: "CUSTOMER_CHURNED"
        }
    }
}

/// What led to a row: whose, when, and what it changed.
struct LifecycleStep {
    let customer: ByteView
    let time: EventTime
    /// Set for the row that changes it.
    var previousTier: CustomerTier?
    var previousStatus: KYCStatus?

    init(customer: ByteView, time: EventTime) {
        self.customer = customer
        self.time = time
    }
}
