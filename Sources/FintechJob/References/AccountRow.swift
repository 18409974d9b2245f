import Engine

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
