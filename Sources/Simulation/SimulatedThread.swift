import Engine

/// One thread of a worker, a step at a time: reads the log for its group of tasks, in virtual time.
final class SimulatedThread {
    /// What a step brought.
    struct Step {
        var report: TaskGroupReport?
        var hasReachedEnd = false
        var isFull = false
        var readingError: (any Error)?
        /// What the thread promises, and did not keep.
        var violations: [String] = []
    }

    var orders = TaskGroupOrders()
    let group: TaskGroup
    private var next: [TopicPartition: Int64]
    /// The task that reads each partition, and when the last record since the report of an epoch came to it.
    private let readers: [TopicPartition: any StreamTask]
    private var came: [TopicPartition: Duration] = [:]
    private let idleAfter: Duration
    private let log: SimulatedLog
    private let time: VirtualTime
    private var random: SeededRandom
    /// In a hundred thousand polls: nothing more can be read.
    private let unreadable: Int

    /// `group`: its number in the run that begins with `start`.
    init(_ group: Int, of start: RunStart, log: SimulatedLog, unreadable: Int, time: VirtualTime, random: SeededRandom) {
        let group = start.groups[group]
        self.group = group
        readers = start.readers.filter { group.partitions.contains($0.key) }
        idleAfter = start.settings.idleAfter
        self.log = log
        self.time = time
        self.random = random
        self.unreadable = unreadable
        next = start.starts.filter { group.partitions.contains($0.key) }
    }

    func step() throws -> Step {
        let taken = orders.take()
        let mayRead = group.mayRead(taken)
        if !mayRead { group.readingWasHeld(now: time.now) }
        let before = came.keys.map { ($0, readers[$0]?.watermark) }
        var step = Step(report: try group.obey(taken, now: time.now))
        // At the end of a bounded run they are raised, whatever came.
        for (partition, watermark) in before where !taken.isReadingOver && readers[partition]?.watermark != watermark {
            guard let last = came[partition], time.now - last < idleAfter else { continue }
            step.violations.append("the watermark of \(partition) was raised as if it were idle, and a record had come")
        }
        if step.report != nil { came = [:] }
        if mayRead, taken.isReadingOver { step.violations.append("a thread reads on when no record may be read any more") }
        if mayRead {
            if unreadable > 0, random.number(in: 1...100_000) <= unreadable {
                group.readingFailed()
                step.readingError = SimulatedUnreadable()
            } else {
                try poll()
            }
            group.wasPolled()
        }
        group.giveBack { false }
        step.isFull = group.isFull
        step.hasReachedEnd = group.hasJustReachedEnd()
        return step
    }

    private func poll() throws {
        var left = random.number(in: 1...40)
        for partition in group.partitions.shuffled(using: &random) where left > 0 {
            guard let from = next[partition] else { continue }
            let maximum = random.number(in: 0...left)
            let read = try log.read(partition, from: from, maximum: maximum, now: time.now) { records in
                try group.process(records, of: partition, at: EventTime(milliseconds: time.now.components.seconds * 1000))
                left -= records.count
                came[partition] = time.now
            }
            next[partition] = read
            let end = log.end(of: partition, now: time.now)
            if read == end { group.reachedEnd(of: partition, next: end, now: time.now) }
        }
    }
}

/// A partition that can't be read any further.
struct SimulatedUnreadable: Error {}
