import Engine

extension TransactionDecoder {
    /// An update of a transaction, as far as it changes the status that is counted. Whose it is, and when it was, is what the row said
    /// before: so it was counted.
    static func statusUpdate(_ change: ChangeRecord<TransactionRow>, _ read: inout FieldReader, _ scratch: ScratchMemory) -> DecodedRecord<
        Transaction
    > {
        var row = TransactionRow()
        func withoutBefore() -> DecodedRecord<Transaction> {
            read.context.remark("update_without_before", at: read.offset)
            return .skipped("update_without_before")
        }
        guard change.readBefore(&row, scratch) else { return withoutBefore() }
        let (id, customerID) = (read.code(row.id, "id"), read.code(row.customerID, "customer_id"))
        let createdAt = read.time(row.createdAt, "created_at")
        let before = Transaction.Status(read.text(row.status, "status"))
        guard read.rejection == nil else { return withoutBefore() }
        let status = Transaction.Status(read.text(change.row.status, "status"))
        guard read.rejection == nil else { return .skipped("unusable_update") }
        guard before != status else { return .skipped("update") }
        let update = Transaction(
            id: id, customerID: customerID, amount: 0, createdAt: createdAt, type: .null, status: status, fee: 0, risk: 0,
            merchantID: read.optionalCode(row.merchantID), fromAccountID: .null, toAccountID: .null, deviceFingerprint: .null,
            country: .null, city: .null,
            statusBefore: before, logPosition: change.logPosition(read, scratch)
        )
        return .amendment(update, at: createdAt)
    }
}
