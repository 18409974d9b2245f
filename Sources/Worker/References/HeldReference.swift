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
    private var nextComplaint = Duration.zero
    private var complaintsHeldBack = 0

    /// Between two log lines about records of this topic that can't be used.
    private static let complaintInterval = Duration.seconds(10)

    init(_ reference: Reference, table: ReferenceTable, positions: [Int: SourcePosition], recordLimit: Int, logger: Logger) {
        self.reference = reference
        self.table = table
        self.positions = positions
        self.recordLimit = recordLimit
        self.logger = logger
        reader = reference.makeReader(table)
    }

    /// Applies records that follow each other in one partition; nobody may read the table meanwhile.
    func apply(_ records: UnsafeBufferPointer<SourceRecord>, partition: Int) {
        for record in records {
            guard record.byteCount <= recordLimit else {
                counters.unusable += 1
                complain(record, partition, "it has \(record.byteCount) bytes, more than the \(recordLimit) that are taken")
                continue
            }
            switch reader.apply(record) {
            case .applied: counters.applied += 1
            case .ignored: counters.ignored += 1
            case .unusable:
                counters.unusable += 1
                complain(record, partition, "it has no usable JSON or no id")
            }
        }
        guard let last = records.last else { return }
        positions[partition] = SourcePosition(next: last.offset + 1, last: RecordFingerprint(of: last))
        recordsSinceTaken += records.count
    }

    private func complain(_ record: SourceRecord, _ partition: Int, _ reason: String) {
        guard Clock.now >= nextComplaint else {
            complaintsHeldBack += 1
            return
        }
        let others = complaintsHeldBack > 0 ? " (and \(complaintsHeldBack) others since the last such line)" : ""
        logger.warning("\(reference.topic)[\(partition)] offset \(record.offset) is unusable for reference table \(reference.name) and was passed over\(others): \(reason)")
        complaintsHeldBack = 0
        nextComplaint = Clock.now + HeldReference.complaintInterval
    }

    /// What changed since the last call, with how far the topic was read for it; nil when no record came.
    /// Nobody may read the table meanwhile.
    func takeChanges() -> ReferenceChanges? {
        guard recordsSinceTaken > 0 else { return nil }
        recordsSinceTaken = 0
        return ReferenceChanges(of: table, positions: positions)
    }

    func status(_ loading: WorkerStatus.ReferenceLoading) -> WorkerStatus.Reference {
        WorkerStatus.Reference(
            name: reference.name, topic: reference.topic, counters: counters, keys: table.count, memoryBytes: table.memoryBytes,
            nextOffsets: positions.mapValues(\.next), loading: loading
        )
    }
}
