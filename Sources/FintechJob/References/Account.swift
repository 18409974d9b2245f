import Engine

/// What is used of an account. Money in cents.
struct Account: StateRecord {
    var isFrozen = false
    var isActive = true
    var minimumBalance: Int64 = 0
    var balance: Int64 = 0
    /// Which of the fields can't be used, a bit each (`Unusable`): rules on them can't be judged.
    var unusable: UInt64 = 0

    /// The bits of `unusable`.
    enum Unusable {
        static let isFrozen: UInt64 = 1
        static let isActive: UInt64 = 2
        static let minimumBalance: UInt64 = 4
        static let balance: UInt64 = 8
    }

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("isFrozen", &isFrozen)
        visit.field("isActive", &isActive)
        visit.field("minimumBalance", &minimumBalance)
        visit.field("balance", &balance)
        visit.field("unusable", &unusable)
    }

    var isSound: Bool { SoundTotals.areAmounts(minimumBalance, balance) }
}

/// The columns of an account that are used.
struct AccountRow: ReferenceRow {
    var id = FieldValue.absent
    var isFrozen = FieldValue.absent
    var isActive = FieldValue.absent
    var minimumBalance = FieldValue.absent
    var balance = FieldValue.absent

    mutating func take(_ key: ByteView, _ value: FieldValue) {
        switch key.count {
        case 2 where isKey(key, "id"): id = value
        case 7 where isKey(key, "balance"): balance = value
        case 9 where isKey(key, "is_frozen"): isFrozen = value
        case 9 where isKey(key, "is_active"): isActive = value
        case 15 where isKey(key, "minimum_balance"): minimumBalance = value
        default: break
        }
    }

    func fill(_ account: inout Account, _ reader: FieldReader) {
        func keep(_ bit: UInt64, _ isUsable: Bool, _ value: FieldValue) {
            if reader.isUnavailable(value) { return }
            account.unusable = isUsable ? account.unusable & ~bit : account.unusable | bit
        }
        keep(Account.Unusable.isFrozen, reader.fill(&account.isFrozen, with: isFrozen, default: false, "is_frozen"), isFrozen)
        keep(Account.Unusable.isActive, reader.fill(&account.isActive, with: isActive, default: true, "is_active"), isActive)
        keep(
            Account.Unusable.minimumBalance, reader.fill(hundredths: &account.minimumBalance, with: minimumBalance, "minimum_balance"),
            minimumBalance)
        keep(Account.Unusable.balance, reader.fill(hundredths: &account.balance, with: balance, "balance"), balance)
    }
}
