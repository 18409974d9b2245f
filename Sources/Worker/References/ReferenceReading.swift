import Engine
import SQLiteState

/// Reads the reference topics into their tables and writes what changed to their file: round by round, by one thread at
/// a time. Tables are changed under the lock's writing side.
final class ReferenceReading {
    private let file: ReferenceFile
    private let held: [HeldReference]
    private let byTopic: [String: HeldReference]
    private let reader: any RecordReader
    private let lock: ReadWriteLock
    private let worker: Worker
    /// Partitions that are not read to where they ended at the start.
    private(set) var unfinished: Set<TopicPartition>
    /// Where the partitions ended at the start, as far as their leaders said so.
    let ends: [TopicPartition: Int64]
    private let starts: [TopicPartition: Int64]
    private var unwritten: [ReferenceChanges] = []
    private var lastCommit = Clock.now
    private var retryAt = Duration.zero
    private var nextPublish = Duration.zero

    /// Records asked of the reader at a time, and so applied under the lock at a time.
    private static let pollRecords = 2048
    private static let publishInterval = Duration.milliseconds(100)
    /// Between two tries to write the file while the disk is full.
    private static let commitRetry = Duration.seconds(1)

    init(_ opening: ReferenceOpening, ends: [TopicPartition: Int64], file: ReferenceFile, lock: ReadWriteLock, worker: Worker) throws {
        self.file = file
        self.lock = lock
        self.worker = worker
        self.ends = ends
        held = opening.held
        byTopic = Dictionary(uniqueKeysWithValues: held.map { ($0.reference.topic, $0) })
        starts = opening.starts
        unfinished = Set(starts.filter { partition, start in ends[partition].map { start < $0 } ?? true }.keys)
        reader = try opening.source.makeReader(of: opening.starts.keys.sorted())
    }

    /// Waits up to `timeout` for records and applies those that came.
    func poll(timeout: Duration) throws {
        var isLocked = false
        defer { if isLocked { lock.unlock() } }
        var stranger: TopicPartition?
        try reader.poll(maximumRecords: ReferenceReading.pollRecords, timeout: timeout) { event in
            switch event {
            case .records(let partition, let records):
                guard let reference = byTopic[partition.topic] else {
                    stranger = partition
                    return
                }
                if !isLocked { lock.lockForWriting() }
                isLocked = true
                reference.apply(records, partition: partition.partition)
                if let last = records.last, let end = ends[partition], last.offset >= end - 1 { unfinished.remove(partition) }
            case .end(let partition, _): unfinished.remove(partition)
            }
        }
        if let stranger { throw WorkerError(.bug, "the source handed over records of \(stranger), which is no reference topic") }
        try ReferenceMemory(limit: worker.settings.referenceMemoryLimit).check(
            held.map(\.memory), unwritten: unwritten.reduce(0) { $0 + $1.memoryBytes })
    }

    // MARK: - Writing

    /// Records whose changes are not on their way to the file.
    var recordsNotTaken: Int { held.reduce(0) { $0 + $1.recordsSinceTaken } }

    /// Writes what changed since the last time, unless that was less than `interval` ago. A full disk is waited for,
    /// while the tables go on changing.
    func commit(notBefore interval: Duration) throws {
        let now = Clock.now
        if now >= nextPublish { publish() }
        guard now >= max(lastCommit + interval, retryAt) else { return }
        try commitNow()
    }

    func commitNow() throws {
        if unwritten.isEmpty {
            lock.lockForWriting()
            unwritten = held.compactMap { $0.takeChanges() }
            lock.unlock()
        }
        if !unwritten.isEmpty { try writeChanges() }
        lastCommit = Clock.now
        publish()
    }

    private func writeChanges() throws {
        do {
            try file.commit(unwritten)
            unwritten = []
        } catch let error as any Failure where error.kind == .retry {
            worker.logger.error("the copy of the reference tables waits to be written: \(error)")
            retryAt = Clock.now + ReferenceReading.commitRetry
        }
    }

    private func publish() {
        nextPublish = Clock.now + ReferenceReading.publishInterval
        let references = held.map { $0.status(loading(of: $0)) }
        worker.publish { $0.references = references }
    }

    // MARK: - Progress

    /// How much of each topic was read since the start: `customers 120000 of 1000000`.
    var progress: String {
        held.map { reference in
            let loading = loading(of: reference)
            return "\(reference.reference.topic) \(loading.read) of \(loading.total.map(String.init) ?? "an unknown number")"
        }.joined(separator: ", ")
    }

    private func loading(of reference: HeldReference) -> WorkerStatus.ReferenceLoading {
        var loading = WorkerStatus.ReferenceLoading()
        for (partition, start) in starts where partition.topic == reference.reference.topic {
            let next = reference.positions[partition.partition]?.next ?? start
            let end = ends[partition].map { max($0, start) }
            // What comes after the end that it had is no part of loading.
            loading.read += min(next, end ?? next) - start
            loading.total = loading.total.flatMap { sum in end.map { sum + $0 - start } }
        }
        return loading
    }

    /// A partition that keeps the start waiting, with where it stands; nil when none does.
    var laggard: (partition: TopicPartition, next: Int64, end: Int64?)? {
        guard let partition = unfinished.min(), let start = starts[partition] else { return nil }
        return (partition, byTopic[partition.topic]?.positions[partition.partition]?.next ?? start, ends[partition])
    }

    /// What records that were read wait for; nil when for nothing.
    var waitsFor: String? { reader.waitsFor }

    /// What the tables hold: `customers 1000 keys (64 KiB)`.
    var summary: String {
        held.map { "\($0.table.name) \($0.table.count) keys (\($0.memory.bytes >> 10) KiB)" }.joined(separator: ", ")
    }

    var recordsRead: UInt64 { held.reduce(0) { $0 + $1.counters.total } }
}
