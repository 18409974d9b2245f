import Engine

/// A transaction as the processors see it; texts that are absent are null views.
public struct Transaction: BitwiseCopyable {
    public var id: ByteView
    public var customerID: ByteView
    /// In cents.
    public var amount: Int64
    public var createdAt: EventTime
    public var type: ByteView
    public var status: Status
    /// In cents.
    public var fee: Int64
    /// In hundredths.
    public var risk: Int64
    public var merchantID: ByteView
    public var fromAccountID: ByteView
    public var toAccountID: ByteView
    public var deviceFingerprint: ByteView
    public var country: ByteView
    public var city: ByteView
    /// Of a change of a transaction's status that came before: what it was. Such a change has neither amounts nor a type.
    public var statusBefore: Status?
    /// Where the database's log has that change, by its own count; 0 where it doesn't say.
    public var logPosition: UInt64 = 0

    /// How far a transaction got, as far as it is counted.
    public enum Status: UInt8, BitwiseCopyable, Sendable {
        case completed, failed, pending
        /// Any other text.
        case other

        init(_ text: ByteView) {
            self = text == "completed" ? .completed : text == "failed" ? .failed : text == "pending" ? .pending : .other
        }
    }
}

/// Decodes the records of the transactions topic.
public struct TransactionDecoder: EventDecoder {
    private let maxAhead: EventSpan?
    private let takesStatusUpdates: Bool
    private let context: DecodingContext

    /// `maxAhead`: how far a `created_at` may lie after its record's timestamp; nil for any time.
    /// `takesStatusUpdates`: an update that changes the status is an amendment of its transaction; others are skipped.
    /// `remarks`: where it says what it met; `forms`: where it keeps what it met of how decimals are written.
    public init(
        maxAhead: EventSpan?, form: InputForm = InputForm(), takesStatusUpdates: Bool = false, remarks: TaskRemarks? = nil,
        remembering forms: KeyedRecords<DecimalForms>? = nil
    ) {
        self.maxAhead = maxAhead
        self.takesStatusUpdates = takesStatusUpdates
        context = DecodingContext(form, remarks: remarks, remembering: forms)
    }

    public mutating func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Transaction> {
        var updated: SourceRecord.Update<TransactionRow, Transaction>?
        if takesStatusUpdates { updated = TransactionDecoder.statusUpdate }
        return record.fact(in: TransactionRow.self, maxAhead: maxAhead, context, scratch, updated: updated) { row, read in
            let id = read.code(row.id, "id")
            let customerID = read.code(row.customerID, "customer_id")
            let amount = read.hundredths(row.amount, "amount")
            let createdAt = read.time(row.createdAt, "created_at")
            let type = read.text(row.type, "transaction_type")
            let status = read.text(row.status, "status")
            let fee = read.optionalHundredths(row.fee, "fee_amount")
            let risk = read.optionalHundredths(row.risk, "risk_score")
            var location = LocationRow()
            read.json(row.location, &location)
            let transaction = Transaction(
                id: id, customerID: customerID, amount: amount, createdAt: createdAt, type: type, status: Transaction.Status(status),
                fee: fee, risk: risk, merchantID: read.optionalCode(row.merchantID), fromAccountID: read.optionalCode(row.fromAccountID),
                toAccountID: read.optionalCode(row.toAccountID), deviceFingerprint: read.optionalCode(row.deviceFingerprint),
                country: read.optionalText(location.country), city: read.optionalText(location.city)
            )
            return .event(transaction, at: createdAt)
        }
    }
}

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
