import Engine

/// Sends transactions on to their customer's task, where their topic is keyed by something else.
struct TransactionForwarding: EventForwarding {
    static let version: UInt8 = 1
    /// What `encode` writes.
    static let layout = MessageLayout(version: 1, fields: [
        StateField(name: "version", type: .unsigned), StateField(name: "id", type: .text), StateField(name: "amount", type: .signed),
        StateField(name: "createdAt", type: .time), StateField(name: "type", type: .text), StateField(name: "status", type: .unsigned),
        StateField(name: "fee", type: .signed), StateField(name: "risk", type: .signed), StateField(name: "merchantID", type: .text),
        StateField(name: "fromAccountID", type: .text), StateField(name: "toAccountID", type: .text),
        StateField(name: "deviceFingerprint", type: .text), StateField(name: "country", type: .text), StateField(name: "city", type: .text),
    ])

    func key(of transaction: Transaction) -> ByteView { transaction.customerID }

    /// A version, then the fields in order; texts that are absent have no bytes, as none that is there has.
    func encode(_ transaction: Transaction, into payload: inout ByteWriter) {
        payload.write(byte: TransactionForwarding.version)
        payload.write(text: transaction.id)
        payload.write(zigzag: transaction.amount)
        payload.write(zigzag: transaction.createdAt.milliseconds)
        payload.write(text: transaction.type)
        payload.write(byte: transaction.status.rawValue)
        payload.write(zigzag: transaction.fee)
        payload.write(zigzag: transaction.risk)
        payload.write(text: transaction.merchantID)
        payload.write(text: transaction.fromAccountID)
        payload.write(text: transaction.toAccountID)
        payload.write(text: transaction.deviceFingerprint)
        payload.write(text: transaction.country)
        payload.write(text: transaction.city)
    }
}

/// Reads what `TransactionForwarding` wrote.
struct ForwardedTransactionDecoder: EventDecoder {
    func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Transaction> {
        var reader = ByteReader(record.value)
        let version = reader.byte()
        let id = reader.text()
        let amount = reader.zigzag()
        let createdAt = EventTime(milliseconds: reader.zigzag())
        let type = reader.text()
        let status = Transaction.Status(rawValue: reader.byte())
        let fee = reader.zigzag()
        let risk = reader.zigzag()
        let transaction = Transaction(
            id: id, customerID: record.key, amount: amount, createdAt: createdAt, type: type, status: status ?? .other, fee: fee, risk: risk,
            merchantID: optionalText(&reader), fromAccountID: optionalText(&reader), toAccountID: optionalText(&reader),
            deviceFingerprint: optionalText(&reader), country: optionalText(&reader), city: optionalText(&reader)
        )
        guard version == TransactionForwarding.version, status != nil, !reader.failed, reader.isAtEnd, SoundTotals.areAmounts(amount, fee, risk),
            StoredBounds.clock.contains(createdAt.milliseconds)
        else {
            return .rejected(Rejection("malformed_message"))
        }
        return .event(transaction, at: createdAt)
    }

    private func optionalText(_ reader: inout ByteReader) -> ByteView {
        let text = reader.text()
        return text.isEmpty ? .null : text
    }
}
