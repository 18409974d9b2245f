import Engine

/// The columns of a reference topic whose rows are held under their `id`.
protocol ReferenceRow: RowFields {
    associatedtype Record: StateRecord
    var id: FieldValue { get }
    /// Fills the record that is held, or a fresh one: what the row doesn't have leaves its default, what the database did not hand over
    /// leaves what is held.
    func fill(_ record: inout Record, _ reader: FieldReader)
}

/// Applies the records of a reference topic whose rows are held under their `id`.
final class ReferenceRowReader<Row: ReferenceRow>: ReferenceReader {
    private let table: ReferenceTable
    private let context: DecodingContext
    private let scratch = ScratchMemory()
    private var record = Row.Record()

    init(_ table: ReferenceTable, _ form: InputForm) {
        self.table = table
        context = DecodingContext(form, isOfReference: true)
    }

    var fieldDefects: [FieldDefect] { context.fieldDefects }
    var notes: Set<String> { context.notes }
    func recall(_ notes: Set<String>) { context.recall(notes) }

    func apply(_ source: SourceRecord) -> ReferenceOutcome {
        scratch.reset()
        context.fieldDefects.removeAll(keepingCapacity: true)
        var change = ChangeRecord<Row>()
        let kind = change.read(source, context, scratch)
        let reader = FieldReader(context, scratch: scratch, latest: .distantFuture, offset: source.offset)
        var id = reader.optionalCode(change.row.id)
        switch kind {
        case .created, .updated, .unstated:
            guard !id.isNull else { return .unusable(reader.defect(of: change.row.id, "id")) }
            if !table.find(id, into: &record) { record.reset() }
            change.row.fill(&record, reader)
            return table.set(id, to: &record)
        case .deleted, .nullValue:
            if id.isNull {
                let key = RecordKey(of: source, context, scratch)
                id = key.code(.id, reader)
                guard !id.isNull else { return .unusable(key.defect("id")) }
            }
            table.remove(id)
        case .truncated: table.removeAll()
        case .unknownOperation: return .unusable(Rejection("unknown_operation"))
        case .printedStruct, .malformed, .malformedAvro, .unknownSchema, .unusableSchema:
            return .unusable(kind.unreadable ?? .malformedJSON)
        }
        return .applied
    }
}
