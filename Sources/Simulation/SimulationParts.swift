import Engine

/// What all lives of a simulation have in common.
final class SimulationParts {
    let plan: SimulationPlan
    let implementations: SimulatedImplementations
    let time = VirtualTime()
    let disk = SimulatedDisk()
    let sink: SimulatedSink
    let trace: SimulationTrace
    var stores: [SimulatedStore] = []
    var violations: [String] = []
    private(set) var counts: [String: Int] = [:]

    /// How many bounded runs without crashes a job gets to come to its end.
    static let boundedTries = 3

    init(_ plan: SimulationPlan, _ implementations: SimulatedImplementations, _ random: inout SeededRandom) {
        self.plan = plan
        self.implementations = implementations
        sink = SimulatedSink(plan.topology.tables, time: time, faults: plan.sinkFaults, random: random.fork())
        trace = SimulationTrace(time)
    }

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
    func willSend(_ batch: SinkBatch) {
        trace.note("\(batch.id) is sent, \(batch.rowCount) rows")
        count("requests")
        if !disk.holds(batch) { violate("\(batch.id) was sent before it was durable") }
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
    private(set) var lines: [String] = []
    private static let limit = 400

    init(_ time: VirtualTime) { self.time = time }

    func note(_ line: String) {
        lines.append("\(time.now): \(line)")
        if lines.count > 2 * SimulationTrace.limit { lines.removeFirst(SimulationTrace.limit) }
    }
}
