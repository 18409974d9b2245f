import Engine

/// Reads what `TransactionKeyBy` wrote.
struct KeyedTransactionDecoder: EventDecoder {
    func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Transaction> {
        var reader = ByteReader(record.value)
        let kind = reader.byte()
        let id = reader.text()
        let amount = reader.zigzag()
        let createdAt = EventTime(milliseconds: reader.zigzag())
        let type = reader.text()
        let status = Transaction.Status(rawValue: reader.byte())
        let fee = reader.zigzag()
        let risk = reader.zigzag()
        var transaction = Transaction(
            id: id, customerID: record.key, amount: amount, createdAt: createdAt, type: type, status: status ?? .other, fee: fee,
            risk: risk,
            merchantID: reader.optionalText(), fromAccountID: reader.optionalText(), toAccountID: reader.optionalText(),
            deviceFingerprint: reader.optionalText(), country: reader.optionalText(), city: reader.optionalText()
        )
        let before = UInt8(exactly: reader.varint()).flatMap { Transaction.Status(rawValue: $0) }
        transaction.logPosition = reader.varint()
        guard status != nil, before != nil, !reader.failed, reader.isAtEnd, SoundTotals.areAmounts(amount, fee, risk),
            StoredBounds.clock.contains(createdAt.milliseconds)
        else {
            return .rejected(Rejection("malformed_message"))
        }
        switch kind {
        case TransactionKeyBy.transaction: return .event(transaction, at: createdAt)
        case TransactionKeyBy.statusUpdate:
            transaction.statusBefore = before
            return .amendment(transaction, at: createdAt)
        default: return .rejected(Rejection("malformed_message"))
        }
    }
}

extension ByteReader {
    /// A text as `ByteWriter.write(text:)` leaves it; the null view for none.
    mutating func optionalText() -> ByteView {
        let text = text()
        return text.isEmpty ? .null : text
    }
}
