import Engine

/// A transaction as the processors see it; texts that are absent are null views.
package struct Transaction: BitwiseCopyable {
    package var id: ByteView
    package var customerID: ByteView
    /// In cents.
    package var amount: Int64
    package var createdAt: EventTime
    package var type: ByteView
    package var status: Status
    /// In cents.
    package var fee: Int64
    /// In hundredths.
    package var risk: Int64
    package var merchantID: ByteView
    package var fromAccountID: ByteView
    package var toAccountID: ByteView
    package var deviceFingerprint: ByteView
    package var country: ByteView
    package var city: ByteView
    /// Of a change of a transaction's status that came before: what it was. Such a change has neither amounts nor a type.
    package var statusBefore: Status?
    /// Where the database's log has that change, by its own count; 0 where it doesn't say.
    package var logPosition: UInt64 = 0

    /// How far a transaction got, as far as it is counted.
    package enum Status: UInt8, BitwiseCopyable, Sendable {
        case completed, failed, pending
        /// Any other text.
        case other

        init(_ text: ByteView) {
            self = text == "completed" ? .completed : text == "failed" ? .failed : text == "pending" ? .pending : .other
        }
    }
}
