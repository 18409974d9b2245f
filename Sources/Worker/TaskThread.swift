import Engine
import Foundation

/// What the coordinator wants of one thread; taken as a whole, applied in the order of the members.
struct ThreadMail {
    var received: [(batches: [MessageBatch], upstream: UpstreamProgress)] = []
    var raised: [(watermarks: [TaskID: EventTime], isEnding: Bool)] = []
    var leaderAnswers: [(ends: [TopicPartition: Int64], at: Duration)] = []
    /// Cut numbers folded, and bytes to evict.
    var release: (foldedThrough: UInt32, bytes: Int)?
    var cut: Epoch?
    var isHeld = false
    var isReadingOver = false
    var isStopped = false

    /// The orders so far; the standing ones stay.
    mutating func take() -> ThreadMail {
        defer { self = ThreadMail(isHeld: isHeld, isReadingOver: isReadingOver, isStopped: isStopped) }
        return self
    }

    var hasOrders: Bool {
        !received.isEmpty || !raised.isEmpty || !leaderAnswers.isEmpty || release != nil || cut != nil || isStopped
    }
}

/// What a thread hands in at a cut.
struct ThreadReport: Sendable {
    let reports: [Coordinator.TaskReport]
    let counters: [TaskID: TaskCounters]
    /// Partitions whose leaders are worth asking whether they are idle.
    let candidates: [TopicPartition]
    let stateBytes: Int
    /// When the thread had processed the first records that it read; nil before that.
    let firstRecord: Duration?
}

/// One thread's tasks and their reader: reads, processes, and cuts when asked to.
///
/// `@unchecked Sendable`: built on the worker's thread, afterwards used by its own thread alone, but for `mail`,
/// which is a monitor.
final class TaskThread: @unchecked Sendable {
    struct Limits {
        /// Records and bytes of one epoch of this thread, above which it waits for the cut.
        let records: Int
        let bytes: Int
    }

    let mail = Monitor(ThreadMail())
    let tasks: [any StreamTask]
    private let byID: [TaskID: any StreamTask]
    private let byPartition: [TopicPartition: any StreamTask]
    private let reader: (any RecordReader)?
    private let stopAt: [TopicPartition: Int64]?
    private let limits: Limits
    /// Held for reading while records or batches are processed; taken once a poll.
    private let references: ReadWriteLock?
    private var holdsReferences = false
    private let events: ThreadEvents
    private let clock: ClockWatch
    private var idle: IdleTracker
    private var unfinished: Set<TopicPartition>
    /// Nothing more can be read.
    private var hasReadingFailed = false
    private var epochRecords = 0
    private var epochBytes = 0
    private var firstRecord: Duration?
    private let tables: [any StateTable]
    /// What is still to be given back, of what may be evicted.
    private var release: (foldedThrough: UInt32, bytes: Int) = (0, 0)
    private var releaseTurn = 0

    /// Records asked of the reader at a time.
    static let pollRecords = 4096
    /// How long a poll waits: a cut that is asked for meanwhile waits as long at most.
    static let pollTimeout = Duration.milliseconds(20)
    /// For how long memory is given back between two polls: more in that time than the records of a poll can take.
    private static let releaseTime = Duration.milliseconds(5)

    init(
        tasks: [any StreamTask], partitions: [TopicPartition: any StreamTask], reader: (any RecordReader)?,
        stopAt: [TopicPartition: Int64]?, limits: Limits, idleAfter: Duration, references: ReadWriteLock?, clock: ClockWatch, events: ThreadEvents
    ) {
        self.tasks = tasks
        tables = tasks.flatMap(\.stateTables)
        byID = Dictionary(uniqueKeysWithValues: tasks.map { ($0.id, $0) })
        byPartition = partitions
        self.reader = reader
        self.stopAt = stopAt
        self.limits = limits
        self.references = references
        self.clock = clock
        self.events = events
        idle = IdleTracker(idleAfter: idleAfter, partitions: Array(partitions.keys))
        unfinished = stopAt == nil ? [] : Set(partitions.keys)
    }

    /// The thread's whole life; errors go to the coordinator.
    func run() {
        do {
            while try step() {}
        } catch {
            events.failed(error)
        }
    }

    private func step() throws -> Bool {
        var orders = mail.look { $0.take() }
        let reading = hasReadingFailed || orders.isHeld || orders.isReadingOver || isEpochFull ? nil : clock.reading
        let mayRead = reader != nil && reading != nil
        if !mayRead {
            idle.readingWasHeld(now: Clock.now)
            // Said again and again: what was said while other threads still cut the last epoch is forgotten with it.
            if isEpochFull { events.progressed(isFull: true) }
        }
        if !mayRead && !orders.hasOrders {
            orders = mail.wait(upTo: TaskThread.pollTimeout) { $0.hasOrders || $0.isHeld != orders.isHeld ? $0.take() : nil } ?? orders
        }
        try obey(orders)
        guard !orders.isStopped else { return false }
        if let reader, let reading {
            now = reading
            defer { releaseReferences() }
            do {
                try reader.poll(maximumRecords: TaskThread.pollRecords, timeout: TaskThread.pollTimeout, handle)
            } catch {
                // What was handed over before is as good as ever.
                hasReadingFailed = true
                events.readingFailed(error)
            }
            if let error = handlingError { throw error }
            if reader.waitsFor != nil { idle.readingWasHeld(now: Clock.now) }
            noteProgress()
        }
        releaseSome()
        return true
    }

    /// From the first record on, not while the poll waits for it: whoever changes the tables would wait as well.
    private func holdReferences() {
        guard let references, !holdsReferences else { return }
        references.lockForReading()
        holdsReferences = true
    }

    private func releaseReferences() {
        guard holdsReferences else { return }
        holdsReferences = false
        references?.unlock()
    }

    private var isEpochFull: Bool { epochRecords >= limits.records || epochBytes >= limits.bytes }

    private func noteProgress() {
        epochBytes = tasks.reduce(0) { $0 + $1.epochBytes }
        events.progressed(isFull: isEpochFull)
    }

    // MARK: - Reading

    /// What the worker's clock said before the poll: by it records are judged.
    private var now = EventTime.distantPast
    /// An error inside the reader's callback, to be thrown after it.
    private var handlingError: (any Error)?

    private func handle(_ event: SourceEvent) {
        guard handlingError == nil else { return }
        switch event {
        case .records(let partition, let records):
            idle.recordsCame(partition)
            holdReferences()
            do {
                try process(records, of: partition)
            } catch {
                handlingError = error
            }
        case .end(let partition, let next):
            idle.reachedEnd(partition, at: next, now: Clock.now)
            // Records after the end of a bounded run were not processed.
            byPartition[partition]?.reachedEnd(next: min(next, stopAt?[partition] ?? next))
            if let stop = stopAt?[partition], next >= stop { finish(partition) }
        }
    }

    private func process(_ records: UnsafeBufferPointer<SourceRecord>, of partition: TopicPartition) throws {
        guard let task = byPartition[partition] else {
            throw WorkerError(.bug, "the source handed over records of \(partition), which this thread does not read")
        }
        var wanted = records
        if let stop = stopAt?[partition], let last = records.last, last.offset >= stop {
            wanted = UnsafeBufferPointer(rebasing: records.prefix { $0.offset < stop })
        }
        try task.process(wanted, at: now)
        epochRecords += wanted.count
        if firstRecord == nil { firstRecord = Clock.now }
        if let stop = stopAt?[partition], let last = records.last, last.offset >= stop - 1 { finish(partition) }
    }

    private func finish(_ partition: TopicPartition) {
        guard unfinished.remove(partition) != nil, unfinished.isEmpty else { return }
        events.reachedEnd()
    }

    // MARK: - Orders

    private func obey(_ orders: ThreadMail) throws {
        if !orders.received.isEmpty || !orders.raised.isEmpty { holdReferences() }
        defer { releaseReferences() }
        for (batches, upstream) in orders.received {
            for batch in batches {
                guard let task = byID[batch.id.to] else { continue }
                try task.process(batch)
            }
            for task in tasks {
                guard let watermark = upstream.watermarks[task.id.stage] else { continue }
                try task.upstreamReached(watermark, firingTimers: upstream.firesTimers(in: task.id.stage))
            }
        }
        for (watermarks, isEnding) in orders.raised { try raise(watermarks, isEnding: isEnding) }
        for (ends, time) in orders.leaderAnswers {
            for (partition, end) in ends { idle.leaderAnswered(partition, end: end, now: time) }
        }
        if let order = orders.release { take(order) }
        if let epoch = orders.cut { cut(epoch) }
    }

    private func raise(_ watermarks: [TaskID: EventTime], isEnding: Bool) throws {
        let now = Clock.now
        let partitions = Dictionary(byPartition.map { ($1.id, $0) }) { first, _ in first }
        for task in tasks {
            guard let watermark = watermarks[task.id] else { continue }
            // A record may have come since the report that the order is based on: then the task is not idle any more.
            if !isEnding, let partition = partitions[task.id], !idle.isIdle(partition, now: now) { continue }
            try task.raiseWatermark(to: watermark, firingTimers: !isEnding)
        }
    }

    private func take(_ order: (foldedThrough: UInt32, bytes: Int)) {
        if order.foldedThrough > release.foldedThrough {
            for table in tables { _ = table.release(foldedThrough: order.foldedThrough, evicting: 0) }
        }
        release = order
    }

    /// Tables take turns to give memory back, for a while, so that reading goes on in between.
    private func releaseSome() {
        guard release.bytes > 0, !tables.isEmpty else { return }
        let deadline = Clock.now + TaskThread.releaseTime
        for _ in tables where release.bytes > 0 {
            releaseTurn = (releaseTurn + 1) % tables.count
            release.bytes -= tables[releaseTurn].release(foldedThrough: release.foldedThrough, evicting: release.bytes)
            if Clock.now >= deadline { return }
        }
    }

    private func cut(_ epoch: Epoch) {
        let now = Clock.now
        let partitions = Dictionary(byPartition.map { ($1.id, $0) }) { first, _ in first }
        let reports = tasks.map { task in
            let isIdle = partitions[task.id].map { idle.isIdle($0, now: now) } ?? false
            return Coordinator.TaskReport(cut: task.cut(epoch), lastOpenWindowEnd: task.lastOpenWindowEnd, isIdle: isIdle)
        }
        epochRecords = 0
        epochBytes = 0
        events.handedIn(ThreadReport(
            reports: reports, counters: Dictionary(uniqueKeysWithValues: tasks.map { ($0.id, $0.counters) }),
            candidates: idle.candidates, stateBytes: tasks.flatMap(\.stateTables).reduce(0) { $0 + $1.memoryBytes },
            firstRecord: firstRecord
        ))
    }
}

/// What a thread tells the coordinator.
protocol ThreadEvents: AnyObject, Sendable {
    func handedIn(_ report: ThreadReport)
    func progressed(isFull: Bool)
    /// All partitions of the thread are read to where they ended at the start.
    func reachedEnd()
    /// Nothing more can be read by the thread; it goes on with everything else.
    func readingFailed(_ error: any Error)
    func failed(_ error: any Error)
}
