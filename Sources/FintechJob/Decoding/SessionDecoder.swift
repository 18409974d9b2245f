import Engine

/// Decodes the records of the sessions topic.
package struct SessionDecoder: EventDecoder {
    private let maxAhead: EventSpan?
    private let countsWhenEnded: Bool
    private let context: DecodingContext

    /// `maxAhead`: how far a `started_at` or `ended_at` may lie after its record's timestamp; nil for any time.
    /// `countsWhenEnded`: a session is an event when it has ended, at that time, be it created or updated so; else when it began.
    /// `remarks`: where it says what it met.
    package init(maxAhead: EventSpan?, form: InputForm = InputForm(), countsWhenEnded: Bool = false, remarks: TaskRemarks? = nil) {
        self.maxAhead = maxAhead
        self.countsWhenEnded = countsWhenEnded
        context = DecodingContext(form, remarks: remarks)
    }

    package mutating func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Session> {
        let whenEnded = countsWhenEnded
        var (updated, moved): (SourceRecord.Update<SessionRow, Session>?, SourceRecord.Update<SessionRow, Session>?)
        if whenEnded { (updated, moved) = (SessionDecoder.ended, SessionDecoder.moved) }
        return record.fact(in: SessionRow.self, maxAhead: maxAhead, context, scratch, updated: updated, moved: moved) { row, read in
            SessionDecoder.session(row, &read, whenEnded: whenEnded)
        }
    }

    @inline(__always)
    private static func session(_ row: borrowing SessionRow, _ read: inout FieldReader, whenEnded: Bool) -> DecodedRecord<Session> {
        let id = read.code(row.id, "id")
        let customerID = read.code(row.customerID, "customer_id")
        let startedAt = read.time(row.startedAt, "started_at")
        let endedAt = read.optionalTime(row.endedAt, "ended_at")
        let session = Session(
            id: id, customerID: customerID, startedAt: startedAt, endedAt: endedAt, sessionID: read.optionalCode(row.sessionID),
            channel: read.optionalText(row.channel), deviceType: read.optionalText(row.deviceType), actions: read.optionalCount(row.actions)
        )
        guard let time = session.time(whenEnded: whenEnded) else { return .skipped("not_ended") }
        return .event(session, at: time)
    }

    /// An update of a session: an event when it ended by it, as far as the record says what was before.
    private static func ended(_ change: ChangeRecord<SessionRow>, _ read: inout FieldReader, _ scratch: ScratchMemory) -> DecodedRecord<
        Session
    > {
        var before = SessionRow()
        if change.readBefore(&before, scratch), read.usableTime(before.endedAt) != nil { return .skipped("update") }
        let decoded = session(change.row, &read, whenEnded: true)
        return read.rejection.map { .rejected($0) } ?? decoded
    }

    /// A session that comes again under another key. Where it has an end, its record doesn't say whether it had one before, and so has
    /// counted for the customer of then, or ended by the very update that moved it, and counts nowhere.
    private static func moved(_ change: ChangeRecord<SessionRow>, _ read: inout FieldReader, _ scratch: ScratchMemory) -> DecodedRecord<
        Session
    > {
        let end = change.row.endedAt
        return .skipped(end.isMissing || read.isUnavailable(end) ? "key_change" : "ended_key_change")
    }
}

/// The columns of a session that are used.
struct SessionRow: RowFields {
    var id = FieldValue.absent
    var customerID = FieldValue.absent
    var startedAt = FieldValue.absent
    var endedAt = FieldValue.absent
    var sessionID = FieldValue.absent
    var channel = FieldValue.absent
    var deviceType = FieldValue.absent
    var actions = FieldValue.absent

    mutating func take(_ key: ByteView, _ value: FieldValue) {
        switch key.count {
        case 2 where isKey(key, "id"): id = value
        case 7 where isKey(key, "channel"): channel = value
        case 8 where isKey(key, "ended_at"): endedAt = value
        case 10 where isKey(key, "session_id"): sessionID = value
        case 10 where isKey(key, "started_at"): startedAt = value
        case 11 where isKey(key, "customer_id"): customerID = value
        case 11 where isKey(key, "device_type"): deviceType = value
        case 13 where isKey(key, "actions_count"): actions = value
        default: break
        }
    }
}
