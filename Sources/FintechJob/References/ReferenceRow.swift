import Engine

/// The columns of a reference topic whose rows are held under their `id`.
protocol ReferenceRow: JSONFields {
    associatedtype Record: StateRecord
    var id: JSONValue { get }
    /// Fills a fresh record; a column that can't be used leaves its default.
    func fill(_ record: inout Record, _ reader: FieldReader)
}

/// Applies the records of a reference topic whose rows are held under their `id`.
final class ReferenceRowReader<Row: ReferenceRow>: ReferenceReader {
    private let table: ReferenceTable
    private let scratch = ScratchMemory()
    private var record = Row.Record()

    init(_ table: ReferenceTable) { self.table = table }

    func apply(_ source: SourceRecord) -> ReferenceOutcome {
        scratch.reset()
        var change = ChangeRecord<Row>()
        let kind = change.read(source.value, scratch)
        let reader = FieldReader(scratch: scratch, latest: .distantFuture)
        var id = reader.optionalText(change.row.id)
        let noID = reader.defect(of: change.row.id, "id")
        switch kind {
        case .created, .updated:
            guard !id.isNull else { return .unusable(noID) }
            record.reset()
            change.row.fill(&record, reader)
            return table.set(id, to: &record)
        case .deleted, .nullValue:
            if id.isNull { id = RecordKey.read(.id, of: source, reader, scratch) }
            guard !id.isNull else { return .unusable(noID) }
            table.remove(id)
        case .truncated: table.removeAll()
        case .unknownOperation: return .ignored
        case .malformed: return .unusable(.malformedJSON)
        }
        return .applied
    }
}
