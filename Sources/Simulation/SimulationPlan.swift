import Engine

/// What a simulation runs, and what goes wrong in it; all of it drawn from the seed.
package struct SimulationPlan {
    /// The versions of the job, of which each life runs one.
    package let versions: [Topology]
    package var log: SimulatedLog
    package var partitioning: [String: RowPartitioning] = [:]
    package var threads = 1
    package var epochInterval = Duration.milliseconds(500)
    package var epochRecords = 100
    package var flushInterval = Duration.seconds(1)
    package var outboxLimits = Outbox.Limits()
    package var idleAfter = Duration.seconds(30)
    package var drainTimeout = Duration.seconds(20)
    /// How long each life lasts before it ends by a crash or a drain; the lives after them run bounded to their ends.
    package var lives: [(length: Duration, isDrained: Bool)] = []
    /// How many of the bounded lives die on the way, and after how long.
    package var boundedCrashes: [Duration] = []
    package var sinkFaults = SimulatedSink.Faults()
    package var storeFaults = SimulatedStore.Faults()
    /// In a hundred thousand polls of a thread: nothing more can be read, so that the life ends.
    package var unreadable = 0
    /// When the sink is down, and when the disk is full.
    package var sinkDown: [Range<Duration>] = []
    package var diskFull: [Range<Duration>] = []

    package init(versions: [Topology], log: SimulatedLog) {
        precondition(!versions.isEmpty, "a job has a version")
        self.versions = versions
        self.log = log
    }

    package init(topology: Topology, log: SimulatedLog) { self.init(versions: [topology], log: log) }

    /// Draws how long rows and messages wait and drains take, so that much is left to the next version of the job.
    package mutating func drawWaiting(_ random: inout SeededRandom) {
        if random.percent(40) { epochInterval = random.milliseconds(in: 2_000...8_000) }
        if random.percent(60) { flushInterval = random.milliseconds(in: 2_000...30_000) }
        drainTimeout = random.milliseconds(in: 200...20_000)
    }

    /// Draws everything but the versions and the log.
    package mutating func drawFaults(_ random: inout SeededRandom) {
        threads = random.number(in: 1...3)
        epochInterval = random.milliseconds(in: 100...2_000)
        epochRecords = random.number(in: 5...200)
        flushInterval = random.milliseconds(in: 100...3_000)
        let batchRows = random.number(in: 3...400)
        outboxLimits = Outbox.Limits(
            batchRows: batchRows, batchBytes: random.number(in: 200...20_000),
            bytes: random.percent(50) ? random.number(in: 60...600) : random.number(in: 600...10_000)
        )
        for table in versions.flatMap(\.tables) where partitioning[table.name] == nil {
            partitioning[table.name] = [RowPartitioning.none, .month, .day][random.number(in: 0...2)]
        }
        // A few seeds run without any fault, a few with many.
        let heat = [0, 1, 1, 2, 4][random.number(in: 0...4)]
        sinkFaults.requestLost = heat * random.number(in: 0...6)
        sinkFaults.answerLost = heat * random.number(in: 0...6)
        sinkFaults.landsLate = heat * random.number(in: 0...4)
        sinkFaults.runsLong = heat * random.number(in: 0...3)
        sinkFaults.errorBefore = heat * random.number(in: 0...3)
        sinkFaults.errorAfter = heat * random.number(in: 0...3)
        storeFaults.crashBefore = heat * random.number(in: 0...1)
        storeFaults.crashAfter = heat * random.number(in: 0...1)
        storeFaults.compact = random.number(in: 0...60)
        storeFaults.loadedRows = random.percent(50) ? .max : random.number(in: 0...20)
        unreadable = heat > 1 ? random.number(in: 0...200) : 0
        var live = Duration.zero
        while live < log.lastArrival {
            let length = heat == 0 ? log.lastArrival : random.milliseconds(in: 500...60_000)
            lives.append((length, random.percent(40)))
            live += length
        }
        boundedCrashes = (0..<heat).map { _ in random.milliseconds(in: 100...8_000) }
        for _ in 0..<heat {
            let start = random.milliseconds(in: 0...100_000)
            if random.percent(50) { sinkDown.append(start..<(start + random.milliseconds(in: 500...50_000))) }
            let second = random.milliseconds(in: 0...100_000)
            if random.percent(30) { diskFull.append(second..<(second + random.milliseconds(in: 500...20_000))) }
        }
    }
}

/// The implementations under test; a test of the harness itself puts broken ones in.
package struct SimulatedImplementations {
    package var store: (SimulatedStore) -> any StateStore = { $0 }
    package var coordinator: (Coordinator) -> any RunCoordinator = { $0 }
    package var delivery: (BatchDelivery) -> any DeliveryRules = { $0 }
    package var archive: (any CheckpointArchive) -> any CheckpointArchive = { $0 }
    /// What is restored of what is to be restored.
    package var restoration: (RestoredCopies) -> RestoredCopies = { $0 }
    /// What is rolled back of what is to be rolled back; nil for nothing.
    package var rollback: (RollbackPlan) -> RollbackPlan? = { $0 }
    /// What a start takes for done to the state since its last epoch.
    package var changeAtRest: (ChangeAtRest) -> ChangeAtRest = { $0 }
    /// The tables that rows are rolled back in, of all that the state knows or the version declares.
    package var rolledBackTables: (_ known: [String], Topology) -> [String] = { known, _ in known }
    /// What the rows of a batch are read as when it is delivered.
    package var layout: (SinkBatch, Topology) -> OutputTable = { batch, _ in batch.layout }
    /// How messages that wait are read by the version at hand.
    package var reading: (MessageReading) -> MessageReading = { $0 }
    /// Whether the checkpoint store refuses to create what is there already.
    package var createIsExclusive = true

    package init() {}
}
