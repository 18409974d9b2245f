import Engine

/// What is used of a customer's profile.
struct Customer: StateRecord {
    /// Empty when the row names none.
    var kycStatus = TextField()
    /// Empty when the row names none.
    var tier = TextField()
    /// In hundredths.
    var risk: Int64 = 0

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("kycStatus", &kycStatus)
        visit.field("tier", &tier)
        visit.field("risk", &risk)
    }

    var isSound: Bool { SoundTotals.areAmounts(risk) }

    mutating func reset() {
        kycStatus.clear()
        tier.clear()
        risk = 0
    }
}

/// The columns of a customer that are used.
struct CustomerRow: ReferenceRow {
    var id = FieldValue.absent
    var kycStatus = FieldValue.absent
    var tier = FieldValue.absent
    var risk = FieldValue.absent

    mutating func take(_ key: ByteView, _ value: FieldValue) {
        switch key.count {
        case 2 where isKey(key, "id"): id = value
        case 4 where isKey(key, "tier"): tier = value
        case 10 where isKey(key, "kyc_status"): kycStatus = value
        case 10 where isKey(key, "risk_score"): risk = value
        default: break
        }
    }

    func fill(_ customer: inout Customer, _ reader: FieldReader) {
        reader.fill(&customer.kycStatus, with: kycStatus, "kyc_status")
        reader.fill(&customer.tier, with: tier, "tier")
        reader.fill(hundredths: &customer.risk, with: risk, "risk_score")
    }
}
