import Engine

extension SourceRecord {
    /// Makes of an update of a row what it is to the stream.
    typealias Update<Row: RowFields, Event: BitwiseCopyable> = (ChangeRecord<Row>, inout FieldReader, ScratchMemory) -> DecodedRecord<Event>

    /// Decodes a record of a stream of facts: what holds no new row is skipped or rejected; else `read` makes an event of
    /// the row, with its time, and what its reader rejects is rejected. `maxAhead`: how far times may lie after the
    /// record's timestamp; nil for any time. `updated`: what an update of a row is, which is skipped without it; `moved`: the same of a row
    /// that comes again under another key. Neither captures anything, so that a record costs no memory.
    @inline(__always)
    func fact<Row: RowFields, Event>(
        in _: Row.Type, maxAhead: EventSpan?, _ context: DecodingContext, _ scratch: ScratchMemory,
        updated: Update<Row, Event>? = nil, moved: Update<Row, Event>? = nil,
        _ read: (borrowing Row, inout FieldReader) -> DecodedRecord<Event>
    ) -> DecodedRecord<Event> {
        var change = ChangeRecord<Row>()
        let kind = change.read(self, context, scratch)
        switch kind {
        // A row whose key was changed comes as a deletion and a creation, which names the key that it had: no new fact.
        case .created where wasUnderAnotherKey, .unstated where wasUnderAnotherKey:
            guard let moved else { return .skipped("key_change") }
            var reader = FieldReader(context, scratch: scratch, latest: .latest(in: self, maxAhead: maxAhead), offset: offset)
            return moved(change, &reader, scratch)
        case .created: break
        case .unstated where context.takesInserts: break
        case .unstated: return .rejected(Rejection("missing_operation"))
        case .updated:
            guard let updated else { return .skipped("update") }
            var reader = FieldReader(context, scratch: scratch, latest: .latest(in: self, maxAhead: maxAhead), offset: offset)
            return updated(change, &reader, scratch)
        case .deleted: return .skipped("delete")
        case .truncated: return .skipped("truncate")
        case .nullValue: return .skipped("null_value")
        case .unknownOperation:
            context.remark("unknown_operation", at: offset)
            return .skipped("unknown_operation")
        case .printedStruct, .malformed, .malformedAvro, .unknownSchema, .unusableSchema:
            return .rejected(kind.unreadable ?? .malformedJSON)
        }
        var reader = FieldReader(context, scratch: scratch, latest: .latest(in: self, maxAhead: maxAhead), offset: offset)
        let decoded = read(change.row, &reader)
        if let rejection = reader.rejection { return .rejected(rejection) }
        return decoded
    }
}

extension Rejection {
    static var malformedJSON: Rejection { Rejection("malformed_json") }
    static var printedStruct: Rejection { Rejection("printed_struct") }
}
