import Engine
import Simulation
import TestSupport
import Testing

/// Dies before or after the commit with this number, counted over all lives.
///
/// `@unchecked Sendable`: a simulation has one thread.
private final class DyingStore: PassingStore, @unchecked Sendable {
    final class Commits {
        var count = 0
    }

    private let commits: Commits
    private let dyingAt: Int
    private let isDurable: Bool

    init(_ inner: SimulatedStore, _ commits: Commits, dyingAt: Int, isDurable: Bool) {
        self.commits = commits
        self.dyingAt = dyingAt
        self.isDurable = isDurable
        super.init(inner)
    }

    override func commit(_ cut: EpochCut) throws {
        commits.count += 1
        if commits.count == dyingAt && !isDurable { throw SimulatedCrash() }
        try inner.commit(cut)
        if commits.count == dyingAt { throw SimulatedCrash() }
    }
}

@Suite("What one stage sends another arrives once and in time, whenever the worker dies and however its partitions run")
struct TwoStageTests {
    private static let origin = 1_700_000_000_000

    /// Each record: when it arrives, and its event time, in seconds.
    private static func purchases(_ partition: Int, _ records: [(arrival: Int, time: Int)]) -> [SimulatedLog.Record] {
        records.map { record in
            let value = "c\(partition)-\(record.time % 3) s\(record.time % 2) \(record.time % 7 + 1) \(origin + record.time * 1000)"
            return SimulatedLog.Record(arrival: .seconds(record.arrival), key: [], value: Array(value.utf8))
        }
    }

    private static let steady = (0..<60).map { (arrival: $0, time: $0) }

    private func simulate(
        _ job: PurchaseJob, _ partitions: [[SimulatedLog.Record]], lives: Int, seed: UInt64 = 1,
        implementations: SimulatedImplementations = .init()
    ) -> SimulationReport {
        let log = SimulatedLog(
            records: Dictionary(
                uniqueKeysWithValues: partitions.enumerated().map { (TopicPartition(topic: PurchaseJob.topic, partition: $0), $1) }))
        var plan = SimulationPlan(topology: job.topology, log: log)
        plan.threads = 2
        plan.epochInterval = .seconds(2)
        plan.idleAfter = .seconds(10)
        plan.lives = Array(repeating: (.seconds(90), true), count: lives)
        let values = partitions.map { $0.map { String(decoding: $0.value, as: UTF8.self) } }
        return Simulation(plan, implementations: implementations, random: SeededRandom(seed: seed)).run(
            expected: PurchaseReference.rows(of: job, values))
    }

    @Test(arguments: [false, true])
    func aKillAtEveryPointBetweenSenderAndReceiver(isDurable: Bool) {
        var (point, died) = (1, true)
        while died {
            let commits = DyingStore.Commits()
            var implementations = SimulatedImplementations()
            implementations.store = { DyingStore($0, commits, dyingAt: point, isDurable: isDurable) }
            let report = simulate(
                .merged, [TwoStageTests.purchases(0, TwoStageTests.steady), TwoStageTests.purchases(1, TwoStageTests.steady)], lives: 2,
                implementations: implementations)
            #expect(report.violations.isEmpty, "commit \(point): \(report.story(seed: 1))")
            died = commits.count >= point
            point += 1
            guard report.violations.isEmpty else { return }
        }
        #expect(point > 30, "the run has too few commits to prove anything")
    }

    /// When the records of one of two partitions arrive, and their event times, in seconds.
    enum Upstream: CaseIterable {
        case silent, silentAtFirst, idleLater, hoursAhead, hoursAheadAndIdle, hoursBehindAllAtOnce

        var records: [(arrival: Int, time: Int)] {
            switch self {
            case .silent: []
            case .silentAtFirst: (40..<60).map { ($0, $0) }
            case .idleLater: (0..<15).map { ($0, $0) }
            case .hoursAhead: (0..<60).map { ($0, $0 + 7_200) }
            case .hoursAheadAndIdle: (0..<5).map { ($0, $0 + 7_200) }
            case .hoursBehindAllAtOnce: (0..<60).map { (0, $0 - 7_200) }
            }
        }

        /// To the end at once, where an idle partition would be raised beyond what comes to it later.
        var lives: Int { self == .silentAtFirst ? 0 : 1 }
    }

    @Test(arguments: Upstream.allCases)
    func upstreamPartitions(upstream: Upstream) {
        for job in [PurchaseJob.merged, .chained, .rekeyed] {
            for seed in 0..<5 as Range<UInt64> {
                let partitions = [TwoStageTests.purchases(0, TwoStageTests.steady), TwoStageTests.purchases(1, upstream.records)]
                let report = simulate(job, partitions, lives: upstream.lives, seed: seed)
                #expect(report.violations.isEmpty, "\(job), \(upstream): \(report.story(seed: seed))")
            }
        }
    }
}
