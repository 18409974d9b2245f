import Engine

/// The columns of a transaction that are used.
struct TransactionRow: RowFields {
    var id = FieldValue.absent
    var customerID = FieldValue.absent
    var amount = FieldValue.absent
    var createdAt = FieldValue.absent
    var type = FieldValue.absent
    var status = FieldValue.absent
    var fee = FieldValue.absent
    var risk = FieldValue.absent
    var merchantID = FieldValue.absent
    var fromAccountID = FieldValue.absent
    var toAccountID = FieldValue.absent
    var deviceFingerprint = FieldValue.absent
    var location = FieldValue.absent

    @inline(__always)
    mutating func take(_ key: ByteView, _ value: FieldValue) {
        switch key.count {
        case 2 where isKey(key, "id"): id = value
        case 6 where isKey(key, "amount"): amount = value
        case 6 where isKey(key, "status"): status = value
        case 10 where isKey(key, "created_at"): createdAt = value
        case 10 where isKey(key, "fee_amount"): fee = value
        case 10 where isKey(key, "risk_score"): risk = value
        case 11 where isKey(key, "customer_id"): customerID = value
        case 11 where isKey(key, "merchant_id"): merchantID = value
        case 13 where isKey(key, "to_account_id"): toAccountID = value
        case 15 where isKey(key, "from_account_id"): fromAccountID = value
        case 16 where isKey(key, "transaction_type"): type = value
        case 18 where isKey(key, "device_fingerprint"): deviceFingerprint = value
        case 20 where isKey(key, "transaction_location"): location = value
        default: break
        }
    }
}

/// What is used of a location or an address.
struct LocationRow: RowFields {
    var country = FieldValue.absent
    var city = FieldValue.absent

    mutating func take(_ key: ByteView, _ value: FieldValue) {
        switch key.count {
        case 4 where isKey(key, "city"): city = value
        case 7 where isKey(key, "country"): country = value
        default: break
        }
    }
}
