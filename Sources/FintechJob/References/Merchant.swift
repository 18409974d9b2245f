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

/// The columns of a merchant that are used.
struct MerchantRow: ReferenceRow {
    var id = JSONValue.absent
    var name = JSONValue.absent
    var businessType = JSONValue.absent
    var categoryCode = JSONValue.absent
    var address = JSONValue.absent
    var isActive = JSONValue.absent

    mutating func take(_ key: ByteView, _ value: JSONValue) {
        switch key.count {
        case 2 where isKey(key, "id"): id = value
        case 4 where isKey(key, "name"): name = value
        case 7 where isKey(key, "address"): address = value
        case 8 where isKey(key, "mcc_code"): categoryCode = value
        case 9 where isKey(key, "is_active"): isActive = value
        case 13 where isKey(key, "business_type"): businessType = value
        default: break
        }
    }

    func fill(_ merchant: inout Merchant, _ reader: FieldReader) {
        var location = LocationRow()
        reader.json(address, &location)
        merchant.name.set(reader.optionalText(name))
        merchant.businessType.set(reader.optionalText(businessType))
        merchant.categoryCode.set(reader.optionalText(categoryCode))
        merchant.country.set(reader.optionalText(location.country))
        merchant.isActive = reader.usableFlag(isActive) ?? false
    }
}
