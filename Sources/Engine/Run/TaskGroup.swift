/// The tasks of one thread and the partitions they read: what the thread does with records and with orders.
///
/// The caller polls the partitions, tells the time, and passes on what comes back; it uses a group on one thread at a time.
package final class TaskGroup {
    /// Records and bytes of one epoch of the group, above which it reads no more before the cut.
    package struct Limits: Sendable {
        package let records: Int
        package let bytes: Int

        package init(records: Int, bytes: Int) {
            self.records = records
            self.bytes = bytes
        }
    }

    package let tasks: [any StreamTask]
    private let byID: [TaskID: any StreamTask]
    private let readers: [TopicPartition: any StreamTask]
    private let partitionOf: [TaskID: TopicPartition]
    private let tables: [any StateTable]
    private let stopAt: [TopicPartition: Int64]?
    private let limits: Limits
    private var idle: IdleTracker
    private var unfinished: Set<TopicPartition>
    private var hasReadingFailed = false
    private var epochRecords = 0
    private var epochBytes = 0
    /// What is still to be given back, of what may be evicted.
    private var release: (compactedThrough: UInt32, bytes: Int) = (0, 0)
    private var releaseTurn = 0

    /// `readers`: the tasks of the group that read partitions. `stopAt`: where a bounded run ends in each of them; nil for
    /// one that goes on.
    package init(
        tasks: [any StreamTask], readers: [TopicPartition: any StreamTask], stopAt: [TopicPartition: Int64]?, limits: Limits,
        idleAfter: Duration
    ) {
        self.tasks = tasks
        self.readers = readers
        self.stopAt = stopAt
        self.limits = limits
        byID = Dictionary(uniqueKeysWithValues: tasks.map { ($0.id, $0) })
        partitionOf = Dictionary(uniqueKeysWithValues: readers.map { ($1.id, $0) })
        tables = tasks.flatMap(\.stateTables)
        idle = IdleTracker(idleAfter: idleAfter, partitions: readers.keys.sorted())
        unfinished = stopAt == nil ? [] : Set(readers.keys)
    }

    package var partitions: [TopicPartition] { readers.keys.sorted() }
    package var isReading: Bool { !readers.isEmpty }
    /// True when the epoch has as much as it may have: nothing is read before the cut.
    package var isFull: Bool { epochRecords >= limits.records || epochBytes >= limits.bytes }
    /// Set when every partition of a bounded run is read to its end, until that was asked for.
    private var hasNewEnd = false

    // MARK: - Reading

    /// Whether records may be read under these orders.
    package func mayRead(_ orders: TaskGroupOrders) -> Bool {
        isReading && !hasReadingFailed && !orders.isHeld && !orders.isReadingOver && !isFull
    }

    /// Nothing was read for another reason than that there was nothing.
    package func readingWasHeld(now: Duration) { idle.readingWasHeld(now: now) }

    /// Nothing more can be read; what was handed over before is as good as ever.
    package func readingFailed() { hasReadingFailed = true }

    /// Processes consecutive records of a partition, up to the end of a bounded run. `time`: what the worker's clock says.
    package func process(_ records: UnsafeBufferPointer<SourceRecord>, of partition: TopicPartition, at time: EventTime) throws {
        guard let task = readers[partition] else {
            throw RunError(.bug, "the source handed over records of \(partition), which this thread does not read")
        }
        idle.recordsCame(partition)
        var wanted = records
        let stop = stopAt?[partition] ?? .max
        if let last = records.last, last.offset >= stop { wanted = UnsafeBufferPointer(rebasing: records.prefix { $0.offset < stop }) }
        try task.process(wanted, at: time)
        epochRecords += wanted.count
        if let last = records.last, last.offset >= stop - 1 { finish(partition) }
    }

    /// The reader stands at the end of a partition, where the next record will be `next`.
    package func reachedEnd(of partition: TopicPartition, next: Int64, now: Duration) {
        idle.reachedEnd(partition, at: next, now: now)
        let stop = stopAt?[partition] ?? .max
        // Records after the end of a bounded run were not processed.
        readers[partition]?.reachedEnd(next: min(next, stop))
        if next >= stop { finish(partition) }
    }

    private func finish(_ partition: TopicPartition) {
        guard unfinished.remove(partition) != nil, unfinished.isEmpty else { return }
        hasNewEnd = true
    }

    /// True once: when every partition of a bounded run is read to its end.
    package func hasJustReachedEnd() -> Bool {
        defer { hasNewEnd = false }
        return hasNewEnd
    }

    /// To be called after each poll.
    package func wasPolled() { epochBytes = tasks.reduce(0) { $0 + $1.epochBytes } }

    // MARK: - Orders

    /// Carries orders out; returns what is handed in when one of them was to cut.
    package func obey(_ orders: TaskGroupOrders, now: Duration) throws -> TaskGroupReport? {
        for (batches, upstream) in orders.received { try receive(batches, upstream) }
        for (watermarks, isEnding) in orders.raised { try raise(watermarks, isEnding: isEnding, now: now) }
        for (ends, time) in orders.leaderAnswers {
            for (partition, end) in ends { idle.leaderAnswered(partition, end: end, now: time) }
        }
        if let order = orders.release { take(order) }
        return orders.cut.map { cut($0, now: now) }
    }

    private func receive(_ batches: [MessageBatch], _ upstream: UpstreamProgress) throws {
        for batch in batches { try byID[batch.id.to]?.process(batch) }
        for task in tasks {
            guard let watermark = upstream.watermarks[task.id.stage] else { continue }
            try task.upstreamReached(watermark, firingTimers: upstream.firesTimers(in: task.id.stage))
        }
    }

    private func raise(_ watermarks: [TaskID: EventTime], isEnding: Bool, now: Duration) throws {
        for task in tasks {
            guard let watermark = watermarks[task.id] else { continue }
            // A record may have come since the report that the order is based on: then the task is not idle any more.
            if !isEnding, let partition = partitionOf[task.id], !idle.isIdle(partition, now: now) { continue }
            try task.raiseWatermark(to: watermark, firingTimers: !isEnding)
        }
    }

    private func take(_ order: (compactedThrough: UInt32, bytes: Int)) {
        if order.compactedThrough > release.compactedThrough {
            for table in tables { _ = table.release(compactedThrough: order.compactedThrough, evicting: 0) }
        }
        release = order
    }

    /// Tables take turns to give memory back, until `isOver`, so that reading goes on in between.
    package func giveBack(until isOver: () -> Bool) {
        guard release.bytes > 0, !tables.isEmpty else { return }
        for _ in tables where release.bytes > 0 {
            releaseTurn = (releaseTurn + 1) % tables.count
            release.bytes -= tables[releaseTurn].release(compactedThrough: release.compactedThrough, evicting: release.bytes)
            if isOver() { return }
        }
    }

    private func cut(_ epoch: Epoch, now: Duration) -> TaskGroupReport {
        let reports = tasks.map { task in
            let isIdle = partitionOf[task.id].map { idle.isIdle($0, now: now) } ?? false
            return Coordinator.TaskReport(cut: task.cut(epoch), lastOpenWindowEnd: task.lastOpenWindowEnd, isIdle: isIdle)
        }
        epochRecords = 0
        epochBytes = 0
        return TaskGroupReport(
            reports: reports, counters: Dictionary(uniqueKeysWithValues: tasks.map { ($0.id, $0.counters) }), candidates: idle.candidates,
            stateBytes: tables.reduce(0) { $0 + $1.memoryBytes }
        )
    }
}
