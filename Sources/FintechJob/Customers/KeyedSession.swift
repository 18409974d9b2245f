import Engine

/// Sends sessions on to their customer's task, where their topic is keyed by something else.
struct SessionKeyBy: KeyBy {
    static let version: UInt8 = 1
    /// What `encode` writes.
    static let layout = MessageLayout(
        version: 1,
        fields: [
            StateField(name: "version", type: .unsigned), StateField(name: "id", type: .text), StateField(name: "startedAt", type: .time),
            StateField(name: "hasEnded", type: .bool), StateField(name: "endedAt", type: .time), StateField(name: "sessionID", type: .text),
            StateField(name: "channel", type: .text), StateField(name: "deviceType", type: .text),
            StateField(name: "actions", type: .unsigned),
        ])

    func key(of session: Session) -> ByteView { session.customerID }

    /// A version, then the fields in order; texts that are absent have no bytes, as none that is there has.
    func encode(_ session: Session, into payload: inout ByteWriter) {
        payload.write(byte: SessionKeyBy.version)
        payload.write(text: session.id)
        payload.write(zigzag: session.startedAt.milliseconds)
        payload.write(byte: session.endedAt == nil ? 0 : 1)
        payload.write(zigzag: session.endedAt?.milliseconds ?? 0)
        payload.write(text: session.sessionID)
        payload.write(text: session.channel)
        payload.write(text: session.deviceType)
        payload.write(varint: session.actions)
    }
}

/// Reads what `SessionKeyBy` wrote.
struct KeyedSessionDecoder: EventDecoder {
    /// As the decoder that read the session has it.
    let countsWhenEnded: Bool

    func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Session> {
        var reader = ByteReader(record.value)
        let version = reader.byte()
        let id = reader.text()
        let startedAt = EventTime(milliseconds: reader.zigzag())
        let hasEnded = reader.byte()
        let endedAt = EventTime(milliseconds: reader.zigzag())
        let session = Session(
            id: id, customerID: record.key, startedAt: startedAt, endedAt: hasEnded == 1 ? endedAt : nil, sessionID: reader.optionalText(),
            channel: reader.optionalText(), deviceType: reader.optionalText(), actions: reader.varint()
        )
        guard version == SessionKeyBy.version, hasEnded <= 1, !reader.failed, reader.isAtEnd,
            StoredBounds.clock.contains(startedAt.milliseconds),
            StoredBounds.clock.contains(endedAt.milliseconds), let time = session.time(whenEnded: countsWhenEnded)
        else { return .rejected(Rejection("malformed_message")) }
        return .event(session, at: time)
    }
}
