/// Makes encoded records of one schema those of another: where each field of the new record comes from. It works on the
/// bytes alone, so it needs the code of neither version.
package struct RecordMapping: Sendable {
    enum Source: Sendable {
        case field(Int, [FieldConversion.Function])
        case constant([UInt8])
    }

    package let from: StateSchema
    package let to: StateSchema
    /// One a field of `to`, in its order.
    let sources: [Source]

    /// Appends what `record` becomes to `writer`. False when it is damaged or holds what a conversion can't say; then
    /// `writer` holds nothing more than before.
    package func map(_ record: ByteView, scratch: inout MappingScratch, into writer: inout ByteWriter) -> Bool {
        guard from.spans(of: record, into: &scratch.spans) else { return false }
        let before = writer.count
        let first = from.hasTimer ? 1 : 0
        if from.hasTimer { writer.write(raw: scratch.spans[0]) }
        for source in sources {
            switch source {
            case .constant(let bytes): bytes.withUnsafeBytes { writer.write(raw: ByteView($0)) }
            case .field(let index, let conversions):
                guard convert(scratch.spans[first + index], conversions[...], into: &writer) else {
                    writer.truncate(to: before)
                    return false
                }
            }
        }
        return true
    }

    private func convert(_ field: ByteView, _ conversions: ArraySlice<FieldConversion.Function>, into writer: inout ByteWriter) -> Bool {
        guard let next = conversions.first else {
            writer.write(raw: field)
            return true
        }
        guard conversions.count > 1 else { return next(field, &writer) }
        var between = ByteWriter(capacity: field.count + 16)
        return next(field, &between) && convert(between.view, conversions.dropFirst(), into: &writer)
    }

    /// What `delta` says, with its records mapped; nil when it is damaged or a record can't be mapped.
    package func map(delta: ByteView, scratch: inout MappingScratch) -> [UInt8]? {
        var (closed, removed, stored) = ([ByteView](), [ByteView](), UInt64(0))
        var records = ByteWriter(capacity: delta.count + 64)
        var record = ByteWriter()
        var isMapped = true
        let isComplete = StateDelta.forEachChange(in: delta) { change in
            switch change {
            case .windowClosed(let prefix): closed.append(prefix)
            case .removed(let key): removed.append(key)
            case .stored(let key, let old):
                record.removeAll()
                isMapped = isMapped && map(old, scratch: &scratch, into: &record)
                stored += 1
                records.write(text: key)
                records.write(text: record.view)
            }
        }
        guard isComplete && isMapped else { return nil }
        var writer = ByteWriter(capacity: records.count + delta.count)
        writer.write(byte: StateDelta.format)
        writer.write(varint: UInt64(closed.count))
        for prefix in closed { writer.write(raw: prefix) }
        writer.write(varint: UInt64(removed.count))
        for key in removed { writer.write(text: key) }
        writer.write(varint: stored)
        writer.write(raw: records.view)
        return writer.copy()
    }
}

/// Memory that mapping records uses over and over.
package struct MappingScratch {
    var spans: [ByteView] = []

    package init() {}
}

/// Fields that the writer of a record did not know, taken over from the record that was stored before.
package struct CarriedFields: Sendable {
    private let schema: StateSchema
    private let isCarried: [Bool]

    /// `names`: of fields of `schema`.
    package init(_ names: [String], of schema: StateSchema) {
        self.schema = schema
        isCarried = (schema.hasTimer ? [false] : []) + schema.fields.map { names.contains($0.name) }
    }

    /// Appends `record` with the carried fields of `earlier` to `writer`. False when either is damaged.
    package func merge(_ record: ByteView, over earlier: ByteView, into writer: inout ByteWriter) -> Bool {
        var (new, old): ([ByteView], [ByteView]) = ([], [])
        guard schema.spans(of: record, into: &new), schema.spans(of: earlier, into: &old) else { return false }
        for index in isCarried.indices { writer.write(raw: isCarried[index] ? old[index] : new[index]) }
        return true
    }
}
