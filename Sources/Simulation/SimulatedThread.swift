import Engine

/// One thread of a worker's tasks and their reader, a step at a time: polls, processes, obeys, and cuts when asked to.
final class SimulatedThread {
    /// What the coordinator wants; taken as a whole, applied in the order of the members.
    struct Mail {
        var received: [(batches: [MessageBatch], upstream: UpstreamProgress)] = []
        var raised: [(watermarks: [TaskID: EventTime], isEnding: Bool)] = []
        var ends: [[TopicPartition: Int64]] = []
        var release: (foldedThrough: UInt32, bytes: Int)?
        var cut: Epoch?
        var isHeld = false
        var isReadingOver = false

        mutating func take() -> Mail {
            defer { self = Mail(isHeld: isHeld, isReadingOver: isReadingOver) }
            return self
        }
    }

    struct Report {
        let reports: [Coordinator.TaskReport]
        let candidates: [TopicPartition]
    }

    var mail = Mail()
    let members: [any StreamTask]
    private let byID: [TaskID: any StreamTask]
    private let partitions: [TaskID: TopicPartition]
    private let readers: [TopicPartition: any StreamTask]
    private var next: [TopicPartition: Int64]
    private let stopAt: [TopicPartition: Int64]?
    private var unfinished: Set<TopicPartition>
    private let log: SimulatedLog
    private let time: VirtualTime
    private var random: SeededRandom
    private var idle: IdleTracker
    private let epochRecords: Int
    private var recordsInEpoch = 0

    /// What the thread has to say; read and cleared by the worker.
    var report: Report?
    var isFull: Bool { recordsInEpoch >= epochRecords }
    var isReading: Bool { !readers.isEmpty }
    private(set) var hasReachedEnd = false

    /// `readers`: the thread's own partitions, each with the member that reads it and where it goes on.
    init(
        members: [any StreamTask], readers: [TopicPartition: (reader: any StreamTask, next: Int64)], log: SimulatedLog, stopAt: [TopicPartition: Int64]?,
        epochRecords: Int, idleAfter: Duration, time: VirtualTime, random: SeededRandom
    ) {
        self.members = members
        self.readers = readers.mapValues(\.reader)
        self.log = log
        self.stopAt = stopAt
        self.epochRecords = epochRecords
        self.time = time
        self.random = random
        byID = Dictionary(uniqueKeysWithValues: members.map { ($0.id, $0) })
        partitions = Dictionary(uniqueKeysWithValues: readers.map { ($1.reader.id, $0) })
        next = readers.mapValues(\.next)
        unfinished = stopAt == nil ? [] : Set(readers.keys)
        idle = IdleTracker(idleAfter: idleAfter, partitions: readers.keys.sorted())
    }

    func step() throws {
        let orders = mail.take()
        let mayRead = !readers.isEmpty && !orders.isHeld && !orders.isReadingOver && !isFull
        if !mayRead { idle.readingWasHeld(now: time.now) }
        try obey(orders)
        if mayRead { try poll() }
    }

    // MARK: - Reading

    private func poll() throws {
        var left = random.number(in: 1...40)
        for partition in readers.keys.sorted().shuffled(using: &random) where left > 0 {
            guard let reader = readers[partition], let from = next[partition] else { continue }
            let stop = stopAt?[partition] ?? .max
            let maximum = min(random.number(in: 0...left), Int(clamping: max(0, stop - from)))
            next[partition] = try log.read(partition, from: from, maximum: maximum, now: time.now) { records in
                idle.recordsCame(partition)
                try reader.process(records, at: EventTime(milliseconds: time.now.components.seconds * 1000))
                recordsInEpoch += records.count
                left -= records.count
            }
            let end = log.end(of: partition, now: time.now)
            if next[partition] == end { idle.reachedEnd(partition, at: end, now: time.now) }
            if next[partition, default: 0] >= stop, unfinished.remove(partition) != nil, unfinished.isEmpty { hasReachedEnd = true }
        }
    }

    // MARK: - Orders

    private func obey(_ orders: Mail) throws {
        for (batches, upstream) in orders.received {
            for batch in batches { try byID[batch.id.to]?.process(batch) }
            for member in members {
                guard let watermark = upstream.watermarks[member.id.stage] else { continue }
                try member.upstreamReached(watermark, firingTimers: upstream.firesTimers(in: member.id.stage))
            }
        }
        for (watermarks, isEnding) in orders.raised {
            for member in members {
                guard let watermark = watermarks[member.id] else { continue }
                if !isEnding, let partition = partitions[member.id], !idle.isIdle(partition, now: time.now) { continue }
                try member.raiseWatermark(to: watermark, firingTimers: !isEnding)
            }
        }
        for ends in orders.ends {
            for (partition, end) in ends { idle.leaderAnswered(partition, end: end, now: time.now) }
        }
        if let release = orders.release {
            var left = release.bytes
            for table in members.flatMap(\.stateTables) { left -= table.release(foldedThrough: release.foldedThrough, evicting: max(left, 0)) }
        }
        if let epoch = orders.cut { cut(epoch) }
    }

    private func cut(_ epoch: Epoch) {
        let reports = members.map { member in
            let isIdle = partitions[member.id].map { idle.isIdle($0, now: time.now) } ?? false
            return Coordinator.TaskReport(cut: member.cut(epoch), lastOpenWindowEnd: member.lastOpenWindowEnd, isIdle: isIdle)
        }
        recordsInEpoch = 0
        report = Report(reports: reports, candidates: idle.candidates)
    }
}
