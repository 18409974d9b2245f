import Dispatch
import Engine
import Logging
import Synchronization
import Worker

/// Looks at a run every second: keeps the status page's news complete also while nobody looks, and warns when all that
/// is read of a topic is rejected.
///
/// `@unchecked Sendable`: the members never change, the timer takes calls of any thread, and the rest is behind locks.
final class RunWatch: @unchecked Sendable {
    private let worker: Worker
    private let publisher: StatusPublisher
    private let topics: [StageName: String]
    private let logger: Logger
    private let rejections = Mutex(RejectionWatch())
    private let hasToldNames = Mutex(false)
    private let timer: any DispatchSourceTimer

    private static let interval = DispatchTimeInterval.seconds(1)

    init(_ worker: Worker, publisher: StatusPublisher, topology: Topology, logger: Logger) {
        self.worker = worker
        self.publisher = publisher
        self.logger = logger
        topics = Dictionary(uniqueKeysWithValues: topology.stages.compactMap { stage in
            if case .topic(let topic) = stage.input { (stage.name, topic) } else { nil }
        })
        timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "run-watch"))
        timer.setEventHandler { [weak self] in self?.look(isLast: false) }
        timer.schedule(deadline: .now() + RunWatch.interval, repeating: RunWatch.interval)
        timer.resume()
    }

    /// Ends the watch with a last look, so that a short run is judged too.
    func stop() {
        timer.cancel()
        look(isLast: true)
    }

    private func look(isLast: Bool) {
        publisher.look()
        var counters: [String: TaskCounters] = [:]
        for task in worker.status.tasks {
            guard let topic = topics[task.id.stage] else { continue }
            counters[topic, default: TaskCounters()].records += task.counters.records
            counters[topic, default: TaskCounters()].rejected += task.counters.rejected
            counters[topic, default: TaskCounters()].late += task.counters.late
        }
        tellNamesLeftOut()
        for warning in rejections.withLock({ $0.warnings(counters, isLast: isLast) }) { logger.warning("\(warning)") }
    }

    /// Once a run.
    private func tellNamesLeftOut() {
        guard let task = worker.status.tasks.first(where: { $0.counters.namesLeftOut > 0 }) else { return }
        let isTold = hasToldNames.withLock { isTold in
            defer { isTold = true }
            return isTold
        }
        guard !isTold else { return }
        logger.warning("a record in task \(task.id) has state.namesPerRecord names: counts by name take those beyond it as \(TextCounts.other), and numbers of distinct names are lower bounds there; tidemark_names_left_out_total counts on. If such a key is no attack and no collective one, raise state.namesPerRecord")
    }
}

/// Finds topics of which everything that was read lately was rejected.
struct RejectionWatch {
    private var judged: [String: TaskCounters] = [:]
    private var looks = 0

    /// How many looks lie between two judgements, and so between two warnings about a topic.
    static let looksPerJudgement = 10

    /// Given the counters of each topic since the start: what to warn of, in the order of the topics' names.
    mutating func warnings(_ counters: [String: TaskCounters], isLast: Bool) -> [String] {
        looks += 1
        guard isLast || looks % RejectionWatch.looksPerJudgement == 0 else { return [] }
        defer { judged = counters }
        return counters.sorted { $0.key < $1.key }.compactMap { topic, now in
            let before = judged[topic] ?? TaskCounters()
            let (records, rejected, late) = (now.records - before.records, now.rejected - before.rejected, now.late - before.late)
            guard records > 0, rejected >= records else { return nil }
            return RejectionWatch.warning(topic, rejected: rejected, late: late)
        }
    }

    private static func warning(_ topic: String, rejected: UInt64, late: UInt64) -> String {
        let hint = late > 0 ? "late means that their windows are closed already, as when the same data is loaded again; " : ""
        return "all \(rejected) records read of \(topic) lately were rejected: \(late) late, \(rejected - min(late, rejected)) unreadable; \(hint)rejected_records has each with its reason"
    }
}
