import Engine

/// What is used of an account. Money in cents.
struct Account: StateRecord {
    var isFrozen = false
    var isActive = true
    var minimumBalance: Int64 = 0
    var balance: Int64 = 0

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("isFrozen", &isFrozen)
        visit.field("isActive", &isActive)
        visit.field("minimumBalance", &minimumBalance)
        visit.field("balance", &balance)
    }

    var isSound: Bool { SoundTotals.areAmounts(minimumBalance, balance) }
}

/// The columns of an account that are used.
struct AccountRow: ReferenceRow {
    var id = JSONValue.absent
    var isFrozen = JSONValue.absent
    var isActive = JSONValue.absent
    var minimumBalance = JSONValue.absent
    var balance = JSONValue.absent

    mutating func take(_ key: ByteView, _ value: JSONValue) {
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
        account.isFrozen = reader.usableFlag(isFrozen) ?? false
        account.isActive = reader.usableFlag(isActive) ?? true
        account.minimumBalance = reader.usableHundredths(minimumBalance) ?? 0
        account.balance = reader.usableHundredths(balance) ?? 0
    }
}
