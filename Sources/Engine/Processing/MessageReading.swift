/// How stored messages become those that a version of the job reads.
package enum MessageReading: Sendable {
    case asTheyAre
    case mapped(RecordMapping, isForwarded: Bool)

    /// The batch as it is to be processed.
    package func apply(to batch: MessageBatch) throws(MessageReadingFailure) -> MessageBatch {
        guard case .mapped(let mapping, let isForwarded) = self else { return batch }
        var scratch = MappingScratch()
        var payload = ByteWriter()
        var messages = ByteWriter(capacity: batch.bytes.count)
        var isWhole = true
        var isMapped = true
        let hasAll = batch.bytes.withUnsafeBytes { bytes in
            batch.forEachRecord(in: ByteView(bytes)) { record in
                payload.removeAll()
                var reader = ByteReader(record.value)
                if isForwarded {
                    isWhole = KeyedEvent(&reader) != nil && isWhole
                    payload.write(raw: record.value.prefix(record.value.count - reader.remaining))
                }
                let fields = reader.raw(reader.remaining)
                isWhole = mapping.from.spans(of: fields, into: &scratch.spans) && isWhole
                isMapped = isWhole && isMapped && mapping.map(fields, scratch: &scratch, into: &payload)
                messages.write(text: record.key)
                messages.write(text: payload.view)
            }
        }
        guard hasAll && isWhole else { throw .damaged }
        guard isMapped else { throw .doesNotFit }
        return MessageBatch(id: batch.id, count: batch.count, bytes: messages.copy())
    }
}

/// Why a batch of messages can't be read in another version's layout.
package enum MessageReadingFailure: Error, Equatable, Sendable {
    /// Its bytes are not what their layout says.
    case damaged
    /// A value can't be said in this version's field, as a number that does not fit.
    case doesNotFit
}
