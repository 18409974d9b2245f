import Engine

/// Adds up each merchant's transactions among the customers of one task, in tumbling windows, and sends each window's
/// totals to the merchant's own task when it closes.
struct MerchantPartials: WindowedAggregate {
    static let name = "merchant_partials"
    static let version = 1
    /// The merchants' tasks put together what the customers' tasks know.
    static let placement = StatePlacement.stays

    private let messages: MessageWriter
    /// By merchant and window.
    private let customers: WindowedSet

    init(_ setup: TaskSetup) {
        messages = setup.messages(to: MerchantPerformance.stage, layout: MerchantPartial.layout)
        customers = setup.windowedSet("merchant_customers", version: 1, span: MerchantPerformance.span)
    }

    func key(of transaction: Transaction) -> ByteView? { transaction.merchantID.isNull ? nil : transaction.merchantID }

    func add(_ transaction: Transaction, at time: EventTime, to totals: inout MerchantTotals) {
        totals.add(transaction, isNewCustomer: customers.insert(transaction.customerID, in: transaction.merchantID, at: time))
    }

    func amend(_ update: Transaction, to totals: inout MerchantTotals) { totals.move(update) }

    func close(_ window: Window, key: ByteView, record totals: inout MerchantTotals) {
        MerchantPartial(merchantID: key, windowStart: window.start, totals: totals).send(to: messages)
    }
}

/// What one customer task knows of a merchant in one window, as it is sent to the merchant's task.
struct MerchantPartial: BitwiseCopyable {
    var merchantID: ByteView
    var windowStart: EventTime
    var totals: MerchantTotals

    /// What `send` writes.
    static let layout = MessageLayout(
        version: 1,
        fields: [
            StateField(name: "version", type: .unsigned), StateField(name: "windowStart", type: .time),
            StateField(name: "count", type: .unsigned),
            StateField(name: "total", type: .signed128), StateField(name: "smallest", type: .signed),
            StateField(name: "greatest", type: .signed),
            StateField(name: "risk", type: .signed128), StateField(name: "completed", type: .unsigned),
            StateField(name: "failed", type: .unsigned),
            StateField(name: "customers", type: .unsigned),
        ])

    /// The key is the merchant; the payload a version, the window's start and the totals as numbers.
    func send(to messages: MessageWriter) {
        var payload = ByteWriter(capacity: 96)
        payload.write(byte: MerchantPartial.version)
        payload.write(zigzag: windowStart.milliseconds)
        payload.write(varint: totals.count)
        payload.write(zigzag128: totals.total)
        payload.write(zigzag: totals.smallest)
        payload.write(zigzag: totals.greatest)
        payload.write(zigzag128: totals.risk)
        payload.write(varint: totals.completed)
        payload.write(varint: totals.failed)
        payload.write(varint: totals.customers)
        messages.send(payload.view, key: merchantID)
    }

    fileprivate static let version: UInt8 = 1
}

/// Reads what `MerchantPartial.send` wrote; its event time is the window's start.
struct MerchantPartialDecoder: EventDecoder {
    func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<MerchantPartial> {
        var reader = ByteReader(record.value)
        let version = reader.byte()
        let windowStart = EventTime(milliseconds: reader.zigzag())
        var totals = MerchantTotals()
        totals.count = reader.varint()
        totals.total = reader.zigzag128()
        totals.smallest = reader.zigzag()
        totals.greatest = reader.zigzag()
        totals.risk = reader.zigzag128()
        totals.completed = reader.varint()
        totals.failed = reader.varint()
        totals.customers = reader.varint()
        guard version == MerchantPartial.version, !reader.failed, reader.isAtEnd, totals.isSound,
            StoredBounds.clock.contains(windowStart.milliseconds)
        else { return .rejected(Rejection("malformed_partial")) }
        return .event(MerchantPartial(merchantID: record.key, windowStart: windowStart, totals: totals), at: windowStart)
    }
}
