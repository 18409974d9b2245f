import Engine

/// Reads the signs of a topic's records.
package protocol InputSignReader: AnyObject {
    var signs: InputSigns { get }
    func note(_ record: SourceRecord, in partition: Int)
}

extension FintechJob {
    /// A reader of what the records of one of the job's topics tell.
    package static func makeSignReader(of topic: String, settings: FintechSettings) -> any InputSignReader {
        switch topic {
        case settings.transactionsTopic: RowSignReader<TransactionRow>(settings.form, comparesKeys: settings.keyedBy == .customerID)
        case settings.sessionsTopic:
            RowSignReader<SessionRow>(settings.form, comparesKeys: (settings.sessionsKeyedBy ?? settings.keyedBy) == .customerID)
        default: RowSignReader<PlainRow>(settings.form, comparesKeys: false)
        }
    }
}

/// A row of a customer's with the time at which it came into being.
private protocol TimedRow: RowFields {
    var customerID: FieldValue { get }
    var time: FieldValue { get }
}

extension TransactionRow: TimedRow {
    fileprivate var time: FieldValue { createdAt }
}

extension SessionRow: TimedRow {
    fileprivate var time: FieldValue { startedAt }
}

/// Of a topic whose rows are nobody's.
private struct PlainRow: TimedRow {
    var customerID: FieldValue { .absent }
    var time: FieldValue { .absent }
    mutating func take(_ key: ByteView, _ value: FieldValue) {}
}

private final class RowSignReader<Row: TimedRow>: InputSignReader {
    private(set) var signs = InputSigns()
    private let context: DecodingContext
    private let comparesKeys: Bool
    private let scratch = ScratchMemory()

    init(_ form: InputForm, comparesKeys: Bool) {
        context = DecodingContext(form)
        self.comparesKeys = comparesKeys
    }

    func note(_ record: SourceRecord, in partition: Int) {
        scratch.reset()
        signs.records += 1
        if !record.key.isEmpty { signs.keys += 1 }
        if RowChange(unreadable: record.key) == .printedStruct { signs.printedKeys.note(partition, record.offset) }
        if let form = form(of: record) {
            signs.foreignForms[form, default: InputSigns.Sign()].note(partition, record.offset)
            return
        }
        var change = ChangeRecord<Row>()
        let kind = change.read(record, context, scratch)
        let reader = FieldReader(context, scratch: scratch, latest: .distantFuture, offset: record.offset)
        if comparesKeys { compareKey(of: record, in: partition, reader.optionalCode(change.row.customerID), reader) }
        guard kind == .created, change.saysInsert(record, context, scratch), !record.wasUnderAnotherKey else { return }
        guard let timestamp = record.timestamp, let time = reader.usableTime(change.row.time) else { return }
        note(ahead: time.milliseconds - timestamp.milliseconds, record, partition)
    }

    /// Where JSON is read, what is none.
    private func form(of record: SourceRecord) -> String? {
        guard context.avro == nil else { return nil }
        if record.headers.value(of: "ce_specversion") != nil { return "a CloudEvent in its binary form" }
        if CloudEventFields.isOne(record.value, scratch) { return "a CloudEvent in its structured form" }
        return ForeignForm.name(of: record.value)
    }

    /// A key is the customer's when it is their id, or names it and nothing that tells their rows apart.
    private func compareKey(of record: SourceRecord, in partition: Int, _ customer: ByteView, _ reader: FieldReader) {
        let key = RecordKey(of: record, context, scratch)
        let (ofCustomer, ofRow) = (key.code(.customerID, reader), key.namedCode(.id, reader))
        guard !customer.isNull, !ofCustomer.isNull || !ofRow.isNull else { return }
        signs.comparedKeys += 1
        if ofCustomer != customer || !ofRow.isNull { signs.keysOfOthers.note(partition, record.offset) }
    }

    private func note(ahead milliseconds: Int64, _ record: SourceRecord, _ partition: Int) {
        let step: Int64 = 30 * 60_000
        let steps = Int64((Double(milliseconds + InputSigns.zoneDelay / 2) / Double(step)).rounded())
        let rest = milliseconds - steps * step
        guard (-InputSigns.zoneDelay...InputSigns.zoneLead).contains(rest) else {
            signs.otherTimes += 1
            return
        }
        signs.minutesAhead[Int(steps) * 30, default: InputSigns.Sign()].note(partition, record.offset)
    }
}
