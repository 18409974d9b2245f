import TestSupport

@testable import Engine

/// A coordinator of a made-up job, told by tests what its tasks say; actions come back as short texts.
struct CoordinatorDriver {
    private var coordinator: Coordinator
    private let tasks: Int
    private let receivers: Int
    private var epoch: UInt64
    private(set) var lastCut: EpochCut?
    /// What tasks were raised to because the run ended.
    private var endings: [TaskID: EventTime] = [:]

    /// What each task of the topic's stage says at the next cut.
    var rows: [Int: Int] = [:]
    var watermarks: [Int: Int64] = [:]
    var windowEnds: [Int: Int64] = [:]
    var idle: [Int: Bool] = [:]
    /// Sends a message to this partition of the second stage.
    var messages: [Int: Int] = [:]
    /// What task 0 of the second stage says.
    var mergeWindowEnd: Int64?
    /// What every task of the second stage says.
    var mergeWatermark: Int64?
    var received: [MessageBatchID] = []

    init(
        tasks: Int, receivers: Int = 0, undelivered: [SinkBatch] = [], messages: [MessageBatch] = [], watermark: Int64? = nil,
        isEnded: Bool = false, outboxBytes: Int = 1 << 20,
        wait: CheckpointWait = .nothing
    ) {
        self.tasks = tasks
        self.receivers = receivers
        let table = RestoredOutboxTable(table: "t", lastFrozen: undelivered.last?.number, pending: [], undelivered: undelivered)
        epoch = messages.last?.id.epoch.number ?? 0
        let restored = RestoredState(
            isNew: messages.isEmpty && undelivered.isEmpty, lineage: .first, hashKey: .ofTests, epoch: Epoch(epoch), partitions: [:],
            tasks: watermark.map {
                [
                    TaskID(stage: "topic", partition: 0): RestoredTask(
                        watermark: EventTime(milliseconds: $0), isEnded: isEnded, position: nil)
                ]
            } ?? [:],
            messages: messages, outbox: [table]
        )
        var limits = Outbox.Limits()
        limits.bytes = outboxBytes
        coordinator = Coordinator(
            restored: restored, routes: TaskRoutes(CoordinatorDriver.topology(receivers: receivers), partitions: ["topic": tasks]),
            outbox: Outbox(lineage: .first, tables: [table], flushInterval: .seconds(1), limits: limits, now: .zero),
            schedule: EpochSchedule(interval: .milliseconds(500), now: .zero), wait: wait
        )
    }

    private static func topology(receivers: Int) -> Topology {
        let table = OutputTable("t", timeColumn: "at", orderBy: ["at"], columns: [OutputColumn("at", .time)])
        var stages = [
            Stage("topic", topic: "topic") { setup in
                _ = setup.rows(of: table)
                if receivers > 0 { _ = setup.messages(to: "merge") }
                return setup.decode(with: ClickDecoder())
            }
        ]
        if receivers > 0 { stages.append(Stage("merge", partitions: receivers) { $0.decode(with: ClickDecoder()) }) }
        return Topology(job: "job", version: 1, stages: stages)
    }

    mutating func start() -> [String] { coordinator.start().compactMap(text) }
    mutating func tick(at now: Duration) -> [String] { coordinator.tick(now: now, isFull: false).compactMap(text) }
    mutating func covered(through epoch: UInt64) -> [String] { coordinator.covered(through: Epoch(epoch)).compactMap(text) }
    var awaitsCheckpoint: Bool { coordinator.awaitsCheckpoint }
    mutating func reachedEnd() -> [String] { coordinator.reachedEnd().compactMap(text) }
    mutating func drain() -> [String] { coordinator.drain().compactMap(text) }

    mutating func delivered(_ number: UInt64) -> [String] {
        coordinator.delivered(SinkBatchID(table: "t", lineage: .first, number: BatchNumber(number))).compactMap(text)
    }

    /// Hands in every task's cut.
    mutating func handIn(at now: Duration) -> [String] {
        epoch += 1
        var reports: [Coordinator.TaskReport] = []
        for task in 0..<tasks {
            let id = TaskID(stage: "topic", partition: task)
            let chunks = (rows[task]).map { count in
                [
                    OutboxChunk(
                        id: ChunkID(table: "t", task: id, epoch: Epoch(epoch), sequence: 0), layout: OutboxTests.table, partition: 0,
                        rowCount: count, bytes: Array(repeating: 0, count: count * 10))
                ]
            }
            let sent = messages[task].map { to in
                [
                    MessageBatch(
                        id: MessageBatchID(from: id, to: TaskID(stage: "merge", partition: to), epoch: Epoch(epoch)), count: 1,
                        bytes: [0, 0])
                ]
            }
            reports.append(report(id, watermarks[task], chunks ?? [], sent ?? [], [], windowEnds[task], idle[task] ?? false))
        }
        for partition in 0..<receivers {
            let id = TaskID(stage: "merge", partition: partition)
            reports.append(report(id, mergeWatermark, [], [], partition == 0 ? received : [], partition == 0 ? mergeWindowEnd : nil, false))
        }
        rows = [:]
        messages = [:]
        received = []
        return coordinator.tasksCut(reports, now: now, wallClock: 0).compactMap { action in
            if case .commit(let cut) = action { lastCut = cut }
            return text(action)
        }
    }

    private func report(
        _ id: TaskID, _ watermark: Int64?, _ rows: [OutboxChunk], _ sent: [MessageBatch], _ received: [MessageBatchID], _ end: Int64?,
        _ isIdle: Bool
    ) -> Coordinator.TaskReport {
        let time = watermark.map { EventTime(milliseconds: $0) } ?? .distantPast
        let cut = TaskCut(
            task: id, watermark: time, isEnded: endings[id] == time, position: nil, deltas: [], rows: rows, sent: sent, received: received)
        return Coordinator.TaskReport(cut: cut, lastOpenWindowEnd: end.map { EventTime(milliseconds: $0) }, isIdle: isIdle)
    }

    mutating func commit() -> [String] {
        let actions = coordinator.committed(lastCut!, taking: .milliseconds(1))
        for case .raiseWatermarks(let raised, isEnding: true) in actions { endings.merge(raised) { $1 } }
        return actions.compactMap(text)
    }

    /// A whole epoch; what comes of it besides the cut and the commit themselves.
    mutating func epoch(at now: Duration) -> [String] {
        let cut = tick(at: now)
        precondition(cut.count == 1 && cut[0].hasPrefix("cut"), "no cut is due")
        let handedIn = handIn(at: now)
        return handedIn.filter { !$0.hasPrefix("commit") } + commit()
    }

    private func text(_ action: Coordinator.Action) -> String? {
        switch action {
        case .requestCut(let epoch): return "cut \(epoch)"
        case .commit(let cut): return "commit \(cut.epoch)"
        case .deliver(let batch, let mayHaveBeenSent): return "deliver \(batch.id)\(mayHaveBeenSent ? " in doubt" : "")"
        case .receive(let batches, let upstream):
            guard let watermark = upstream.watermarks["merge"] else { return nil }
            let sent = batches.map { " \($0.id.from.partition)>\($0.id.to.partition)@\($0.id.epoch)" }.joined()
            return "receive\(sent) upstream \(watermark.milliseconds)\(upstream.firesTimers(in: "merge") ? "" : " ending")"
        case .raiseWatermarks(let raised, let isEnding):
            let targets = Set(raised.values.map(\.milliseconds)).sorted().map(String.init).joined(separator: ",")
            return "raise \(raised.count) to \(targets)\(isEnding ? " ending" : "")"
        case .holdReading(let isHeld): return "hold \(isHeld)"
        case .stopReading: return "stop reading"
        case .finished: return "finished"
        }
    }
}
