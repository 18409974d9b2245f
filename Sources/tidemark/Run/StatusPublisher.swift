import Admin
import CommandLineParts
import Engine
import Foundation
import KafkaIO
import SchemaRegistry
import Synchronization
import Worker

/// Gathers what the status page shows from the parts of a run.
final class StatusPublisher: Sendable {
    private let worker: Worker
    private let sinks: [any BatchSink]
    private let ends: LogEnds
    private let source: any RecordSource
    private let schemas: RegisteredSchemas?
    private let brokersWereDown = Mutex(false)
    private let registryWasAway = Mutex(false)
    private let job: String
    private let stateBudget: Int
    private let topics: [StageName: String]
    private let start = ContinuousClock.now
    /// When each problem was first seen, in order.
    private let problems = Mutex<[StatusSnapshot.Problem]>([])

    private static let shownProblems = 10

    init(
        _ worker: Worker, sinks: [any BatchSink], source: any RecordSource, schemas: RegisteredSchemas?, topology: Topology,
        stateBudget: Int
    ) {
        self.worker = worker
        self.sinks = sinks
        self.stateBudget = stateBudget
        ends = LogEnds(source)
        self.source = source
        self.schemas = schemas
        job = topology.job
        topics = Dictionary(
            uniqueKeysWithValues: topology.stages.compactMap { stage in
                if case .topic(let topic) = stage.input { (stage.name, topic) } else { nil }
            })
    }

    /// Quick: nothing in it waits for the network.
    var snapshot: StatusSnapshot {
        let status = worker.status
        let uptime = ContinuousClock.now - start
        var snapshot = StatusSnapshot(
            job: job, version: Tidemark.configuration.version, phase: .init(status.phase), uptimeSeconds: seconds(uptime),
            lineage: status.lineage.number, epoch: status.epoch.number, lastCommitMilliseconds: seconds(status.lastCommit) * 1000,
            isReadingHeld: status.isReadingHeld || schemas?.trouble != nil,
            memory: .init(
                stateBytes: status.stateBytes, stateBudget: stateBudget, outboxBytes: status.outboxBytes,
                residentBytes: StatusPublisher.residentBytes)
        )
        snapshot.partitions = partitions(status)
        let tables = sinks.flatMap(\.status)
        snapshot.tables = status.outbox.map { depth in table(depth, tables.first { $0.table == depth.table }) }
        snapshot.references = status.references.map(reference)
        snapshot.reasons = reasons(status)
        snapshot.checkpoint = status.checkpoint.last.map {
            .init(number: $0.number, epoch: $0.epoch.number, time: status.checkpoint.lastAt ?? 0, bytes: $0.totalBytes)
        }
        snapshot.start = status.start.entries.map { .init(part: $0.part.rawValue, seconds: seconds($0.time)) }
        snapshot.namesLeftOut = status.tasks.reduce(0) { $0 + $1.counters.namesLeftOut }
        snapshot.drain = status.drain.entries.map { .init(part: $0.part.rawValue, seconds: seconds($0.time)) }
        noteBrokers()
        noteRegistry()
        // A server may quote a row's value in its refusal.
        note(
            tables.compactMap { table in
                table.lastError.map {
                    (
                        "\(table.table): \($0)",
                        "\(table.table): the delivery has trouble; what is said about it may quote records, and is in the log"
                    )
                }
            })
        note(
            [status.problem, status.clockDoubt, status.checkpoint.problem.map { "checkpoints: \($0)" }].compactMap { $0 }.map { ($0, nil) })
        snapshot.problems = self.problems.withLock { $0.reversed() }
        return snapshot
    }

    /// Notes what is new, and asks once where the logs end, so that the first who looks finds it there.
    func look() {
        noteBrokers()
        noteRegistry()
        let status = worker.status
        if !ends.wereAsked { _ = partitions(status) }
    }

    private func partitions(_ status: WorkerStatus) -> [StatusSnapshot.Partition] {
        let read = status.tasks.compactMap { task in
            topics[task.id.stage].map { (TopicPartition(topic: $0, partition: task.id.partition), task) }
        }
        let ends = ends.current(of: read.map(\.0))
        let waits = Dictionary(uniqueKeysWithValues: status.transactionWaits.map { ($0.partition, $0.waited) })
        return read.map { partition, task in
            StatusSnapshot.Partition(
                topic: partition.topic, partition: partition.partition, nextOffset: task.position?.next, endOffset: ends[partition],
                openTransactionSeconds: waits[partition].map(seconds),
                watermark: task.watermark == .distantPast ? nil : task.watermark.milliseconds, isIdle: task.isIdle,
                records: task.counters.records, rejected: task.counters.rejected, late: task.counters.late, skipped: task.counters.skipped,
                raisedByOffset: task.counters.raisedBy?.offset
            )
        }.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
    }

    /// By kind, rejections first, then by topic and reason.
    private func reasons(_ status: WorkerStatus) -> [StatusSnapshot.Reason] {
        var (rejected, remarked): ([String: ReasonCounts], [String: ReasonCounts]) = ([:], [:])
        for task in status.tasks {
            let topic = topics[task.id.stage] ?? task.id.stage.description
            rejected[topic, default: ReasonCounts()].add(task.counters.reasons, of: task.id.partition)
            remarked[topic, default: ReasonCounts()].add(task.counters.remarks, of: task.id.partition)
        }
        return [(StatusSnapshot.Reason.Kind.rejected, rejected), (.remark, remarked)].flatMap { kind, counts in
            counts.sorted { $0.key < $1.key }.flatMap { topic, counts in
                counts.entries.sorted { $0.reason < $1.reason }.map {
                    .init(
                        kind: kind, topic: topic, reason: $0.reason, count: $0.count, partition: $0.offset == nil ? nil : $0.partition,
                        offset: $0.offset)
                }
            }
        }
    }

    private func reference(_ reference: WorkerStatus.Reference) -> StatusSnapshot.Reference {
        var shown = StatusSnapshot.Reference(
            name: reference.name, topic: reference.topic, keys: reference.keys, memoryBytes: reference.memoryBytes,
            records: reference.counters.total,
            unusable: reference.counters.unusable, loaded: reference.loading.read, toLoad: reference.loading.total
        )
        shown.defects = reference.defects.map {
            .init(reason: $0.name, field: $0.field, count: $0.count, partition: $0.partition ?? 0, offset: $0.offset ?? 0)
        }
        return shown
    }

    private func table(_ depth: OutboxDepth, _ status: TableStatus?) -> StatusSnapshot.Table {
        StatusSnapshot.Table(
            name: depth.table, delivery: status.map { .init($0.state) } ?? .idle, pendingRows: depth.pendingRows,
            frozenBatches: depth.frozenBatches, frozenRows: depth.frozenRows, lastFrozenBatch: depth.lastFrozen,
            rowsDelivered: status?.rowsDelivered ?? 0, insertsSent: status?.insertsSent ?? 0,
            batchesUncounted: status?.batchesUncounted ?? 0
        )
    }

    /// Notes when the last broker went and when one is there again.
    private func noteBrokers() {
        let down = source.outage
        guard note(down != nil, brokersWereDown, about: StatusPublisher.brokers) else { return }
        let news = down.map { "all brokers are down (\($0)); reading waits and goes on by itself" } ?? "brokers answer again"
        note([("\(StatusPublisher.brokers) \(news)", nil)])
    }

    /// Notes when records began to wait for the schema registry and when it answers again.
    private func noteRegistry() {
        guard let schemas else { return }
        let trouble = schemas.trouble
        guard note(trouble != nil, registryWasAway, about: StatusPublisher.registry) else { return }
        note([("\(StatusPublisher.registry) \(trouble ?? "it answers again, and reading goes on")", nil)])
    }

    /// Takes note of whether something is away; true when that has changed. Each outage is told with its own time, so what was said of
    /// the one before is forgotten.
    private func note(_ isAway: Bool, _ wasAway: borrowing Mutex<Bool>, about subject: String) -> Bool {
        let changed = wasAway.withLock { wasAway in
            defer { wasAway = isAway }
            return wasAway != isAway
        }
        if changed { problems.withLock { $0.removeAll { $0.message.begins(with: subject) } } }
        return changed
    }

    private static let registry = "Schema registry:"
    private static let brokers = "Kafka:"

    /// Adds a problem to the page, unless it is there.
    func note(problem: String) { note([(problem, nil)]) }

    /// Adds the problems that are new, without secrets, and forgets the oldest beyond the limit.
    private func note(_ messages: [(text: String, withoutRecords: String?)]) {
        problems.withLock { known in
            for (text, withoutRecords) in messages {
                let message = Console.redact(text)
                guard !known.contains(where: { $0.message == message }) else { continue }
                known.append(.init(time: WallTime.now.milliseconds, message: message, withoutRecords: withoutRecords))
            }
            known.removeFirst(max(0, known.count - StatusPublisher.shownProblems))
        }
    }

    private func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    /// The resident set as the kernel counts it; 0 where it doesn't say.
    private static var residentBytes: Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let fields = text.parts(at: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
    }
}

extension StatusSnapshot.Phase {
    fileprivate init(_ phase: WorkerStatus.Phase) {
        self =
            switch phase {
            case .starting: .starting
            case .running: .running
            case .draining: .draining
            case .finished: .finished
            }
    }
}

extension StatusSnapshot.Table.Delivery {
    fileprivate init(_ state: TableStatus.State) {
        self =
            switch state {
            case .idle: .idle
            case .sending: .sending
            case .unknown: .unknown
            case .waiting: .waiting
            case .stopped: .stopped
            }
    }
}

/// Where the logs of partitions end, as of a few seconds ago: asked in the background, and only while somebody looks.
private final class LogEnds: Sendable {
    private struct Known {
        var ends: [TopicPartition: Int64] = [:]
        var asked: ContinuousClock.Instant?
        var isAsking = false
    }

    private let source: any RecordSource
    private let known = Mutex(Known())
    private let queue = DispatchQueue(label: "tidemark.log-ends")

    private static let maximumAge = Duration.seconds(2)
    private static let timeout = Duration.seconds(5)

    init(_ source: any RecordSource) { self.source = source }

    var wereAsked: Bool { known.withLock { $0.asked != nil } }

    func current(of partitions: [TopicPartition]) -> [TopicPartition: Int64] {
        let (ends, isDue) = known.withLock { known in
            let isOld = known.asked.map { ContinuousClock.now - $0 > LogEnds.maximumAge } ?? true
            let isDue = isOld && !known.isAsking && !partitions.isEmpty
            if isDue { known.isAsking = true }
            return (known.ends, isDue)
        }
        if isDue { queue.async { self.ask(partitions) } }
        return ends
    }

    private func ask(_ partitions: [TopicPartition]) {
        let ends = source.logEnds(of: partitions, timeout: LogEnds.timeout).mapValues(\.end)
        known.withLock { known in
            known = Known(ends: ends, asked: .now)
        }
    }
}
