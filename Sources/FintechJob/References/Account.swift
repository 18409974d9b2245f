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
