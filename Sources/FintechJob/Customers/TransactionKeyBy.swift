import Engine

/// Sends transactions on to their customer's task, where their topic is keyed by something else.
struct TransactionKeyBy: KeyBy {
    /// What leads a transaction, and what an update of one's status: builds that know only the first refuse the second, rather than
    /// count it once more.
    static let transaction: UInt8 = 1
    static let statusUpdate: UInt8 = 2
    /// What `encode` writes.
    static let layout = MessageLayout(
        version: 2,
        fields: [
            StateField(name: "version", type: .unsigned), StateField(name: "id", type: .text), StateField(name: "amount", type: .signed),
            StateField(name: "createdAt", type: .time), StateField(name: "type", type: .text), StateField(name: "status", type: .unsigned),
            StateField(name: "fee", type: .signed), StateField(name: "risk", type: .signed), StateField(name: "merchantID", type: .text),
            StateField(name: "fromAccountID", type: .text), StateField(name: "toAccountID", type: .text),
            StateField(name: "deviceFingerprint", type: .text), StateField(name: "country", type: .text),
            StateField(name: "city", type: .text),
            StateField(name: "statusBefore", type: .unsigned), StateField(name: "logPosition", type: .unsigned),
        ], evolution: .from(1).adding("statusBefore").adding("logPosition"))

    func key(of transaction: Transaction) -> ByteView { transaction.customerID }

    /// What it is, then the fields in order; texts that are absent have no bytes, as none that is there has.
    func encode(_ transaction: Transaction, into payload: inout ByteWriter) {
        payload.write(byte: transaction.statusBefore == nil ? TransactionKeyBy.transaction : TransactionKeyBy.statusUpdate)
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
        payload.write(varint: UInt64((transaction.statusBefore ?? .completed).rawValue))
        payload.write(varint: transaction.logPosition)
    }
}
