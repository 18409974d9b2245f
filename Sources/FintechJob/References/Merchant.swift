import Engine

/// What is used of a merchant; texts are empty when the row has none.
struct Merchant: StateRecord {
    var name = TextField()
    var businessType = TextField()
    var categoryCode = TextField()
    var country = TextField()
    var isActive = false

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("name", &name)
        visit.field("businessType", &businessType)
        visit.field("categoryCode", &categoryCode)
        visit.field("country", &country)
        visit.field("isActive", &isActive)
    }

    mutating func reset() {
        name.clear()
        businessType.clear()
        categoryCode.clear()
        country.clear()
        isActive = false
    }
}
