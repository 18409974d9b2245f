import Engine

/// Looks at each transaction in log order for what is suspicious about it; a row for each whose score is high enough.
struct FraudDetection: KeyedProcessor {
    static let name = "fraud_detection_alerts"
    static let version = 1

    private let alertThreshold: Int
    private let accounts: ReferenceTable
    private let remarks: TaskRemarks
    private let alerts: FraudAlertWriter
    private var account = Account()

    init(alertThreshold: Int, accounts: ReferenceTable, remarks: TaskRemarks, rows: RowWriter) {
        self.alertThreshold = alertThreshold
        self.accounts = accounts
        self.remarks = remarks
        alerts = FraudAlertWriter(rows)
    }

    func key(of transaction: Transaction) -> ByteView? { transaction.customerID }

    mutating func process(_ transaction: Transaction, at time: EventTime, key: ByteView, state: inout Keyed<CustomerActivity>) {
        let accountID = findAccount(of: transaction)
        let findings = state.record.add(transaction, account: accountID.isNull ? nil : account)
        if !accountID.isNull, account.unusable != 0 { remarkUnjudged() }
        if findings.score >= alertThreshold { alerts.write(transaction, findings, accountID: accountID) }
    }

    /// Of an account of which fields can't be used, the rules on them say nothing.
    private func remarkUnjudged() {
        func remark(_ bit: UInt64, _ rule: FraudRule) {
            if account.unusable & bit != 0 { remarks.add(Rejection("unjudged_rule", field: rule.name)) }
        }
        remark(Account.Unusable.isFrozen, .frozenAccount)
        remark(Account.Unusable.isActive, .inactiveAccount)
        remark(Account.Unusable.minimumBalance, .excessiveAmount)
        remark(Account.Unusable.balance, .suspiciousAmount)
    }

    /// Fills `account` with the one that the money comes from, else the one that it goes to. Returns its id, the null
    /// view when neither is known.
    private mutating func findAccount(of transaction: Transaction) -> ByteView {
        let (from, to) = (transaction.fromAccountID, transaction.toAccountID)
        if !from.isNull, accounts.find(from, into: &account) { return from }
        if !to.isNull, accounts.find(to, into: &account) { return to }
        return .null
    }
}
