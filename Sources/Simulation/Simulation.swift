import Engine

/// A seeded run of a whole job: log, worker, disk and sink in virtual time, with crashes at any point.
///
/// The worker lives, dies and starts again as the plan says, and at last runs bounded to its end. Afterwards the sink
/// must hold what a plain computation gives, each row once. The same seed gives the same run for ever.
package final class Simulation {
    private let parts: SimulationParts
    private let machine = SimulatedMachine(0)
    private var random: SeededRandom
    private var versions: VersionChoice

    /// Longer than any run that makes progress, in virtual time.
    package static let limit = Duration.seconds(1800)
    /// The same in events: a run that goes round in circles is noticed in seconds.
    static let eventLimit = 120_000

    package init(_ plan: SimulationPlan, implementations: SimulatedImplementations = .init(), random: SeededRandom) {
        var random = random
        parts = SimulationParts(plan, implementations, &random)
        versions = VersionChoice(plan.versions, &random)
        self.random = random
        parts.disks = [machine.disk]
    }

    /// Runs to the end and checks against the `expected` rows, each its table's name and the values in order.
    package func run(expected: [String]) -> SimulationReport { run { SimulationChecks.contents($0.map(\.text), expected) } }

    /// Runs to the end; `judge` says what is wrong with the contents of the sink's rows.
    package func run(_ judge: ([SimulatedSink.Row]) -> [String]) -> SimulationReport {
        parts.scheduleOutages()
        for life in parts.plan.lives { live(for: life.length, isDrained: life.isDrained) }
        for length in parts.plan.boundedCrashes where runBounded(dyingAfter: length) { return parts.report(judge) }
        for _ in 0..<SimulationParts.boundedTries where runBounded(dyingAfter: nil) { return parts.report(judge) }
        parts.violate("the job did not come to its end in \(SimulationParts.boundedTries) bounded runs")
        return parts.report(judge)
    }

    private func makeWorker(isBounded: Bool, isCalm: Bool = false) -> SimulatedWorker? {
        let surroundings = SimulatedSurroundings(
            parts, versions.next(parts), machine, isCalm: isCalm, isBounded: isBounded, random: random.fork())
        do {
            return SimulatedWorker(surroundings, try surroundings.start(), random: random.fork())
        } catch {
            parts.violate("the start failed: \(error)")
            return nil
        }
    }

    private func live(for length: Duration, isDrained: Bool) {
        guard parts.violations.isEmpty, let worker = makeWorker(isBounded: false) else { return }
        parts.trace.note("a life of \(length) begins\(isDrained ? ", to be drained" : "")")
        var isOver = false
        parts.time.after(length) {
            isOver = true
            if isDrained { worker.drain() }
        }
        worker.start()
        while worker.end == nil && (isDrained || !isOver) && parts.advance() {}
        if worker.end == nil { worker.kill() }
        resolve(worker)
    }

    /// True when the run came to its end.
    private func runBounded(dyingAfter length: Duration?) -> Bool {
        guard parts.violations.isEmpty else { return true }
        parts.pass(parts.plan.log.lastArrival - parts.time.now)
        guard let worker = makeWorker(isBounded: true, isCalm: length == nil) else { return true }
        parts.trace.note("a bounded run begins")
        if let length { parts.time.after(length) { worker.kill() } }
        worker.start()
        while worker.end == nil && parts.advance() {}
        resolve(worker)
        if case .finished? = worker.end { return true }
        return !parts.violations.isEmpty
    }

    private func resolve(_ worker: SimulatedWorker) {
        parts.trace.note("the life ended: \(worker.end.map { "\($0)" } ?? "never")")
        switch worker.end {
        case .failed(let error)?: parts.violate("the worker stopped: \(error)")
        case .unreadable?: break
        case .crashed?: parts.count("crashes")
        case .finished?: parts.count("finished lives")
        case .leftUndelivered?: parts.count("drains that ran out of time")
        case nil where parts.violations.isEmpty: parts.violateEndless()
        case nil: break
        }
        // A little time passes before the next start; requests under way go on meanwhile.
        parts.pass(random.milliseconds(in: 10...8_000))
    }
}
