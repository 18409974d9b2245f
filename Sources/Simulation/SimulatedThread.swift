import Engine

/// One thread of a worker, a step at a time: reads the log for its group of tasks, in virtual time.
final class SimulatedThread {
    /// What a step brought.
    struct Step {
        var report: TaskGroupReport?
        var hasReachedEnd = false
        var isFull = false
        var readingError: (any Error)?
    }

    var orders = TaskGroupOrders()
    let group: TaskGroup
    private var next: [TopicPartition: Int64]
    private let log: SimulatedLog
    private let time: VirtualTime
    private var random: SeededRandom
    /// In a hundred thousand polls: nothing more can be read.
    private let unreadable: Int

    /// `starts`: where each partition is read from.
    init(
        _ group: TaskGroup, from starts: [TopicPartition: Int64], log: SimulatedLog, unreadable: Int, time: VirtualTime,
        random: SeededRandom
    ) {
        self.group = group
        self.log = log
        self.time = time
        self.random = random
        self.unreadable = unreadable
        next = starts.filter { group.partitions.contains($0.key) }
    }

    func step() throws -> Step {
        let taken = orders.take()
        let mayRead = group.mayRead(taken)
        if !mayRead { group.readingWasHeld(now: time.now) }
        var step = Step(report: try group.obey(taken, now: time.now))
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
            }
            next[partition] = read
            let end = log.end(of: partition, now: time.now)
            if read == end { group.reachedEnd(of: partition, next: end, now: time.now) }
        }
    }
}

/// A partition that can't be read any further.
struct SimulatedUnreadable: Error {}
