import Dispatch
import Engine
import Logging
import SQLiteState
import Synchronization
import Worker

/// Looks at a run every second: keeps the status page's news complete also while nobody looks, and warns when all that
/// is read of a topic is rejected, or much of it is late.
///
/// `@unchecked Sendable`: the members never change, the timer takes calls of any thread, and the rest is behind locks.
final class RunWatch: @unchecked Sendable {
    private let worker: Worker
    private let publisher: StatusPublisher
    private let topics: [StageName: String]
    private let logger: Logger
    private let rejections: Mutex<RejectionWatch>
    private let hasToldNames = Mutex(false)
    private let transactions = Mutex(TransactionWatch())
    private let timer: any DispatchSourceTimer

    private static let interval = DispatchTimeInterval.seconds(1)
    /// A key is cut to so many bytes.
    private static let shownKeyBytes = 64

    init(_ worker: Worker, publisher: StatusPublisher, topology: Topology, maxAhead: EventSpan?, logger: Logger) {
        self.worker = worker
        self.publisher = publisher
        self.logger = logger
        rejections = Mutex(RejectionWatch(maxAhead: maxAhead))
        topics = Dictionary(
            uniqueKeysWithValues: topology.stages.compactMap { stage in
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
        var seen: [String: RejectionWatch.Topic] = [:]
        for task in worker.status.tasks {
            // A stage that reads no topic rejects nothing of its own, and may have something to remark.
            let topic = topics[task.id.stage] ?? "stage \(task.id.stage)"
            seen[topic, default: RejectionWatch.Topic()].add(task.id.partition, task.counters)
        }
        tellNamesLeftOut()
        for warning in transactions.withLock({ $0.warnings(worker.status.transactionWaits) }) {
            publisher.note(problem: warning)
            logger.warning("\(warning)")
        }
        for warning in rejections.withLock({ $0.warnings(seen, isLast: isLast) }) {
            publisher.note(problem: warning)
            logger.warning("\(warning)")
        }
    }

    /// Once a run.
    private func tellNamesLeftOut() {
        guard let (task, first) = worker.status.tasks.lazy.compactMap({ task in task.counters.firstLeftOut.map { (task.id, $0) } }).first
        else { return }
        let isTold = hasToldNames.withLock { isTold in
            defer { isTold = true }
            return isTold
        }
        guard !isTold else { return }
        let key = first.key.withUnsafeBytes { StateText.key(ByteView($0).prefix(RunWatch.shownKeyBytes)) }
        logger.warning(
            "the record of key '\(key)' in state table \(first.table) of task \(task) has state.namesPerRecord names: counts by name take those beyond it as \(TextCounts.other), and numbers of distinct names are lower bounds there; tidemark_names_left_out_total counts on. If such a key is no attack and no collective one, raise state.namesPerRecord"
        )
    }
}
