import Engine

extension SourceRecord {
    /// Decodes a record of a stream of facts: what holds no new row is skipped or rejected; else `read` makes an event of
    /// the row, with its time, and what its reader rejects is rejected. `maxAhead`: how far times may lie after the
    /// record's timestamp; nil for any time.
    @inline(__always)
    func fact<Row: JSONFields, Event>(
        in _: Row.Type, maxAhead: EventSpan?, _ scratch: ScratchMemory, _ read: (borrowing Row, inout FieldReader) -> (Event, at: EventTime)
    ) -> DecodedRecord<Event> {
        var change = ChangeRecord<Row>()
        switch change.read(value, scratch) {
        case .created: break
        case .updated: return .skipped("update")
        case .deleted: return .skipped("delete")
        case .truncated: return .skipped("truncate")
        case .nullValue: return .skipped("null_value")
        case .unknownOperation: return .skipped("unknown_operation")
        case .malformed: return .rejected(.malformedJSON)
        }
        var reader = FieldReader(scratch: scratch, latest: .latest(in: self, maxAhead: maxAhead))
        let (event, time) = read(change.row, &reader)
        if let rejection = reader.rejection { return .rejected(rejection) }
        return .event(event, at: time)
    }
}

extension Rejection {
    static var malformedJSON: Rejection { Rejection("malformed_json") }
}
