import Engine

/// What a simulation with a checkpoint store runs, and what goes wrong in it; all of it drawn from the seed.
package struct CheckpointPlan {
    /// How a worker's life ends.
    package enum Ending: Sendable {
        /// The process dies, its disk stays.
        case crash
        /// It is told to drain.
        case drain
        /// The process dies, and its disk is lost.
        case diskLoss
        /// Its disk is taken for lost while it goes on elsewhere: another worker is started with the same configuration.
        case takeOver
    }

    package struct Life: Sendable {
        package var length: Duration
        package var ending: Ending
        /// The operator says that the worker before is gone, whether or not it is.
        package var takesOver: Bool
        /// For so long after the take-over the old worker can't reach the checkpoint store.
        package var cutOff = Duration.zero
        /// For so long after its start a worker can't reach the checkpoint store.
        package var unasked = Duration.zero
    }

    package var durability: Durability
    package var interval = Duration.seconds(10)
    package var lives: [Life] = []
    package var objectFaults = SimulatedObjects.Faults()
    /// When the checkpoint store is down.
    package var storeDown: [Range<Duration>] = []
    /// Before each so many lives an operator makes the state that is there final: from then on it keeps out a version of the
    /// job that earlier checkpoints let in. nil: nobody does.
    package var finalizesEvery: Int?

    package init(_ durability: Durability) { self.durability = durability }

    /// What may go wrong.
    package enum Trouble: Sendable, CaseIterable {
        /// Crashes, drains and lost disks.
        case lostDisks
        /// Workers that go on after another has taken over, too.
        case zombies
        /// Workers that can't reach the checkpoint store for long after another has taken over, and go on all the while.
        case cutOffs
    }

    /// Draws everything but the durability; `until` is when the log ends.
    package mutating func draw(_ trouble: Trouble, until end: Duration, _ random: inout SeededRandom) {
        interval = random.milliseconds(in: 1_000...20_000)
        let heat = [0, 1, 1, 2, 3][random.number(in: 0...4)]
        objectFaults.requestLost = heat * random.number(in: 0...2)
        objectFaults.answerLost = heat * random.number(in: 0...2)
        objectFaults.landsLate = heat * random.number(in: 0...2)
        objectFaults.saysExists = heat * random.number(in: 0...20)
        // Restoring goes back behind what it can't read: with shared durability that is a rollback too.
        objectFaults.damagedRead = durability == .local && random.percent(30) ? heat : 0
        objectFaults.slowest = random.percent(80) ? 60 : 900
        var now = Duration.zero
        while now < end || lives.count < 2 {
            var life = Life(length: random.milliseconds(in: 2_000...50_000), ending: .crash, takesOver: random.percent(60))
            switch random.number(in: 1...100) {
            case ...25: break
            case ...40: life.ending = .drain
            case ...70: life.ending = .diskLoss
            default: life.ending = trouble == .zombies ? .takeOver : .diskLoss
            }
            if durability == .local, random.percent(15) { life.unasked = random.milliseconds(in: 500...30_000) }
            // With local durability a worker that can't ask goes on: what it delivers meanwhile stays until it is rolled back again.
            if durability == .shared, random.percent(40) { life.cutOff = random.milliseconds(in: 500...40_000) }
            if trouble == .cutOffs {
                life.ending = random.percent(95) ? .takeOver : .crash
                life.takesOver = random.percent(80)
                life.cutOff = random.milliseconds(in: 20_000...60_000)
            }
            lives.append(life)
            now += life.length
        }
        for _ in 0..<heat where random.percent(60) {
            let start = random.milliseconds(in: 0...100_000)
            storeDown.append(start..<(start + random.milliseconds(in: 500...40_000)))
        }
    }
}

/// A checkpoint store under test, with the code that workers use it by.
package protocol CheckpointsUnderTest: AnyObject {
    /// What a process on a machine without a state restores; nil when there is no checkpoint. Blocks.
    func choose(
        on machine: Int, takesOver: Bool, durability: Durability, interval: Duration, except unusable: Set<UInt64>,
        by process: SimulatedProcess
    ) throws -> RestorableCheckpoint?
    /// The copies of the one that the process chose last. Blocks.
    func fetch(_ checkpoint: RestorableCheckpoint, on machine: Int, by process: SimulatedProcess) throws -> RestoredCopies
    /// True when a state without epochs on this machine is not in the way of a restoration. Blocks.
    func isOfOthers(_ machine: Int, by process: SimulatedProcess) throws -> Bool
    func makeArchive(on machine: Int, by process: SimulatedProcess) throws -> any CheckpointArchive
    /// The epoch of the newest checkpoint that is in the store, whatever anybody was told.
    func newestEpoch(of lineage: Lineage) -> Epoch?
}

/// The files of a checkpoint, and the lineage that it is to begin; nil to go on in its own.
package struct RestoredCopies {
    package var names: [String]
    package var lineage: Lineage?
    /// Output tables that this checkpoint or a later one knows.
    package var tables: Set<String>

    package init(names: [String], lineage: Lineage?, tables: Set<String>) {
        self.names = names
        self.lineage = lineage
        self.tables = tables
    }
}
