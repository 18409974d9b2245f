import Engine

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
