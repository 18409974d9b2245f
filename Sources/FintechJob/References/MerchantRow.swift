import Engine

/// The columns of a merchant that are used.
struct MerchantRow: ReferenceRow {
    var id = FieldValue.absent
    var name = FieldValue.absent
    var businessType = FieldValue.absent
    var categoryCode = FieldValue.absent
    var address = FieldValue.absent
    var isActive = FieldValue.absent

    mutating func take(_ key: ByteView, _ value: FieldValue) {
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
        reader.fill(&merchant.name, with: name, "name")
        reader.fill(&merchant.businessType, with: businessType, "business_type")
        reader.fill(code: &merchant.categoryCode, digits: 4, with: categoryCode, "mcc_code")
        if !reader.isUnavailable(address) {
            var location = LocationRow()
            let isRead = reader.json(address, &location)
            if !isRead, !address.isMissing { reader.note(address, "address", "a JSON object, or the text of one") }
            reader.fill(&merchant.country, with: location.country, "address.country")
        }
        reader.fill(&merchant.isActive, with: isActive, default: false, "is_active")
    }
}
