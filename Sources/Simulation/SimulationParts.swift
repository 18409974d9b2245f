import Engine

/// What all lives of a simulation have in common.
final class SimulationParts {
    let plan: SimulationPlan
    let implementations: SimulatedImplementations
    let time = VirtualTime()
    var disks: [SimulatedDisk] = []
    let sink: SimulatedSink
    let trace: SimulationTrace
    var stores: [SimulatedStore] = []
    var violations: [String] = []
    private(set) var counts: [String: Int] = [:]
    /// The epoch of the newest checkpoint, where nothing may leave before that covers it; nil where it may.
    var covered: ((Lineage) -> Epoch)?

    /// How many bounded runs without crashes a job gets to come to its end.
    static let boundedTries = 3

    init(_ plan: SimulationPlan, _ implementations: SimulatedImplementations, _ random: inout SeededRandom) {
        self.plan = plan
        self.implementations = implementations
        sink = SimulatedSink(time: time, faults: plan.sinkFaults, random: random.fork())
        trace = SimulationTrace(time)
    }

    /// Everything that is held by anybody at the end; `judge` says what is wrong with the rows' contents.
    func report(_ judge: ([SimulatedSink.Row]) -> [String]) -> SimulationReport {
        defer { time.end() }
        if violations.isEmpty, isEndless { violateEndless() }
        if violations.isEmpty { violations += judge(sink.rows) + SimulationChecks.names(sink.rows) }
        violations += disks.flatMap(\.violations)
        count("cold reads", stores.reduce(0) { $0 + $1.coldReads })
        count("messages in another layout", stores.reduce(0) { $0 + $1.readMessages })
        count("rows", sink.rows.count)
        return SimulationReport(violations: violations, trace: trace, counts: counts, length: time.now, events: time.events)
    }

    /// Lets this much time pass.
    func pass(_ pause: Duration) {
        guard pause >= .zero else { return }
        var isOver = false
        time.after(pause) { isOver = true }
        while !isOver && advance() {}
    }

    /// Lets the next thing happen; false when a promise is broken, or nothing is left to happen.
    func advance() -> Bool { violations.isEmpty && !isEndless && time.step() }

    /// Whatever still happens, nothing comes of it.
    private var isEndless: Bool { time.now >= Simulation.limit || time.events >= Simulation.eventLimit }

    /// What is said of a run that did not come to its end.
    func violateEndless() { violate("no end within \(time.events) events and \(time.now) of virtual time") }

    func scheduleOutages() {
        for period in plan.sinkDown {
            time.after(period.lowerBound) { [self] in
                trace.note("the sink goes down")
                count("outages")
                sink.goDown()
            }
            time.after(period.upperBound) { [self] in
                trace.note("the sink comes up")
                sink.comeUp()
            }
        }
    }

    var isDiskFull: Bool { plan.diskFull.contains { $0.contains(time.now) } }

    /// Promise 1, looked at from the sink: what arrives there is durable already.
    func willSend(_ batch: SinkBatch, from disk: SimulatedDisk) {
        trace.note("\(batch.id) is sent, \(batch.rowCount) rows")
        count("requests")
        if !disk.holds(batch) { violate("\(batch.id) was sent before it was durable") }
        if let covered = covered?(batch.lineage), let frozen = disk.frozenIn(batch.id), frozen > covered {
            violate("\(batch.id) of epoch \(frozen) was sent, and the newest checkpoint of its lineage is of epoch \(covered)")
        }
    }

    /// Promise of shared durability: nothing is ever ahead of the store, and so nothing is ever rolled back.
    func rolledBack(_ rows: Int, _ plan: RollbackPlan) {
        trace.note("\(rows) rows of lineages before \(plan.lineage) are rolled back")
        count(plan.stage == .due ? "rollbacks" : "second rollbacks")
        count("rolled back rows", rows)
        if plan.stage == .again && rows > 0 { count("rows of workers that were cut off") }
    }

    /// What other versions of the job left to the one that starts.
    func countWaiting(_ restored: RestoredState, of topology: Topology) {
        let declared = Dictionary(uniqueKeysWithValues: topology.outboxTables.map { ($0.name, $0.table) })
        for table in restored.outbox {
            if table.pending.contains(where: { $0.layout != declared[table.table] }) { count("rows in another layout") }
            if table.undelivered.contains(where: { $0.layout != declared[table.table] }) { count("batches in another layout") }
            if table.waitingLayouts.count > 1 { count("outboxes with two layouts") }
            if declared[table.table] == nil && !table.waitingLayouts.isEmpty { count("rows of tables that the version lacks") }
        }
    }

    func violate(_ violation: String) {
        trace.note("VIOLATION: \(violation)")
        violations.append(violation)
    }

    func count(_ name: String, _ times: Int = 1) { counts[name, default: 0] += times }
}

/// The last things that happened, with their times.
final class SimulationTrace {
    private let time: VirtualTime
    private var notes: [(time: Duration, line: String)] = []
    private static let limit = 400

    init(_ time: VirtualTime) { self.time = time }

    func note(_ line: String) {
        notes.append((time.now, line))
        if notes.count > 2 * SimulationTrace.limit { notes.removeFirst(SimulationTrace.limit) }
    }

    var lines: [String] { notes.map { "\($0.time): \($0.line)" } }
}
