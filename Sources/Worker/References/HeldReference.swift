import Engine
import Logging
import SQLiteState

/// One reference topic as the worker holds it: its table, what feeds it, and how far. Used by one thread at a time.
final class HeldReference {
    let reference: Reference
    let table: ReferenceTable
    private(set) var positions: [Int: SourcePosition]
    private(set) var counters = WorkerStatus.ReferenceCounters()
    /// Records handled since `takeChanges`.
    private(set) var recordsSinceTaken = 0
    private let reader: any ReferenceReader
    private let recordLimit: Int
    private let logger: Logger
    private var defects = ReasonCounts()

    /// `stored`: what its file has of it; nil for nothing that fits.
    init(_ reference: Reference, table: ReferenceTable, stored: ReferenceFile.Stored?, recordLimit: Int, logger: Logger) {
        self.reference = reference
        self.table = table
        positions = stored?.positions ?? [:]
        self.recordLimit = recordLimit
        self.logger = logger
        reader = reference.makeReader(table)
        reader.recall(stored?.notes ?? [])
    }

    var memory: ReferenceMemory.Use { ReferenceMemory.Use(table, reader: reader) }

    /// Applies records that follow each other in one partition; nobody may read the table meanwhile.
    func apply(_ records: UnsafeBufferPointer<SourceRecord>, partition: Int) {
        for record in records {
            guard record.byteCount <= recordLimit else {
                note(.tooLarge, of: record, partition)
                continue
            }
            switch reader.apply(record) {
            case .applied:
                counters.applied += 1
                for defect in reader.fieldDefects { note(defect, of: record, partition) }
            case .ignored: counters.ignored += 1
            case .unusable(let rejection): note(rejection, of: record, partition)
            }
        }
        guard let last = records.last else { return }
        positions[partition] = SourcePosition(next: last.offset + 1, last: RecordFingerprint(of: last))
        recordsSinceTaken += records.count
    }

    /// Counts what can't be used; the first of each reason and field is told.
    private func note(_ rejection: Rejection, of record: SourceRecord, _ partition: Int) {
        counters.unusable += 1
        guard defects.add(rejection, at: record.offset, of: partition) else { return }
        let cure =
            rejection == .tooLarge
            ? "it has \(record.byteCount) bytes: have the row written again, smaller or after input.maxRecordBytes (\(recordLimit)) was raised"
            : "correct the row, or what writes it: its next record is taken in its place"
        logger.warning(
            "\(reference.topic)[\(partition)] offset \(record.offset) can't be used for reference table \(reference.name) and was passed over, \(rejection): \(cure). Others like it are counted on the status page and in tidemark_reference_defects_total, and not told"
        )
    }

    /// Counts a field that can't be used; the first of each is told.
    private func note(_ defect: FieldDefect, of record: SourceRecord, _ partition: Int) {
        guard defects.add(defect.rejection, at: record.offset, of: partition), let field = defect.rejection.field else { return }
        logger.warning(
            "\(reference.topic)[\(partition)] offset \(record.offset): \(field) is \(defect.found) \(defect.isUsed ? "and was taken for a number" : "that can't be used, so reference table \(reference.name) holds the row without it"); expected \(defect.expected). Others like it are counted on the status page and in tidemark_reference_defects_total, and not told"
        )
    }

    /// What changed since the last call, with how far the topic was read for it; nil when no record came.
    /// Nobody may read the table meanwhile.
    func takeChanges() -> ReferenceChanges? {
        guard recordsSinceTaken > 0 else { return nil }
        recordsSinceTaken = 0
        return ReferenceChanges(of: table, positions: positions, notes: reader.notes)
    }

    func status(_ loading: WorkerStatus.ReferenceLoading) -> WorkerStatus.Reference {
        WorkerStatus.Reference(
            name: reference.name, topic: reference.topic, counters: counters, defects: defects.entries.sorted { $0.reason < $1.reason },
            keys: table.count,
            memoryBytes: memory.bytes, nextOffsets: positions.mapValues(\.next), loading: loading
        )
    }
}
