import Engine

/// Decodes the records of the transactions topic.
package struct TransactionDecoder: EventDecoder {
    private let maxAhead: EventSpan?
    private let takesStatusUpdates: Bool
    private let context: DecodingContext

    /// `maxAhead`: how far a `created_at` may lie after its record's timestamp; nil for any time.
    /// `takesStatusUpdates`: an update that changes the status is an amendment of its transaction; others are skipped.
    /// `remarks`: where it says what it met; `forms`: where it keeps what it met of how decimals are written.
    package init(
        maxAhead: EventSpan?, form: InputForm = InputForm(), takesStatusUpdates: Bool = false, remarks: TaskRemarks? = nil,
        remembering forms: KeyedRecords<DecimalForms>? = nil
    ) {
        self.maxAhead = maxAhead
        self.takesStatusUpdates = takesStatusUpdates
        context = DecodingContext(form, remarks: remarks, remembering: forms)
    }

    package mutating func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Transaction> {
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
