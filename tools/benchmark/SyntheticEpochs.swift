import Engine

/// Epochs that change random records of a large state: what the job's own tables would hand over, without the job.
final class SyntheticEpochs {
    static let recordBytes = 300
    private static let tasks = 16
    /// Records that an epoch changes, in all: what half a second of 20,000 changed keys a second brings.
    private static let changes = 10_000

    private let keys: UInt64
    private var filled: UInt64 = 0
    private var random: UInt64 = 0x9E37_79B9_7F4A_7C15
    private(set) var epoch = Epoch(0)

    init(keys: UInt64) { self.keys = keys }

    static var topology: Topology {
        Topology(job: "benchmark", version: 1, stages: [Stage("only", input: .topic("topic")) { HeldTask(id: $0.task) }])
    }

    /// An epoch with the next `bytes` of new records; nil when there are all.
    func nextToFill(bytes: Int) -> EpochCut? {
        guard filled < keys else { return nil }
        let end = min(keys, filled + UInt64(bytes / SyntheticEpochs.recordBytes))
        defer { filled = end }
        // In an order that is not theirs, as keys of a log come.
        return cut((filled..<end).map { $0 &* 0x9E37_79B9_7F4A_7C15 })
    }

    /// An epoch that changes random records.
    func next() -> EpochCut {
        cut(
            (0..<SyntheticEpochs.changes).map { _ in
                random ^= random << 13
                random ^= random >> 7
                random ^= random << 17
                return (random % keys) &* 0x9E37_79B9_7F4A_7C15
            })
    }

    private func cut(_ changed: [UInt64]) -> EpochCut {
        epoch = epoch.next
        let share = (changed.count + SyntheticEpochs.tasks - 1) / SyntheticEpochs.tasks
        let tasks = (0..<SyntheticEpochs.tasks).map { number in
            let own = changed.dropFirst(number * share).prefix(share)
            return TaskCut(
                task: TaskID(stage: "only", partition: number), watermark: .distantPast, position: nil, deltas: [delta(own)], rows: [],
                sent: [], received: []
            )
        }
        return EpochCut(epoch: epoch, tasks: tasks, frozen: [], delivered: [], wallClock: 0)
    }

    private func delta(_ keys: ArraySlice<UInt64>) -> StateDelta {
        var writer = ByteWriter()
        writer.write(byte: StateDelta.format)
        writer.write(varint: 0)
        writer.write(varint: 0)
        writer.write(varint: UInt64(keys.count))
        for key in keys {
            writer.write(varint: 8)
            writer.write(fixed: key)
            writer.write(varint: UInt64(SyntheticEpochs.recordBytes))
            for part in 0..<UInt64(SyntheticEpochs.recordBytes / 4) {
                writer.write(fixed: UInt32(truncatingIfNeeded: (key ^ epoch.number) &+ part))
            }
        }
        return StateDelta(table: HeldTable.name, bytes: writer.copy())
    }
}

/// A task that only says what its table is.
private final class HeldTask: StreamTask {
    let id: TaskID
    let watermark = EventTime.distantPast
    let stateTables: [any StateTable] = [HeldTable()]
    let lastOpenWindowEnd: EventTime? = nil
    let epochBytes = 0
    let counters = TaskCounters()

    init(id: TaskID) { self.id = id }

    func process(_ records: UnsafeBufferPointer<SourceRecord>, at now: EventTime) {}
    func passOver(_ skipped: SkippedRecords) {}
    func process(_ batch: MessageBatch) {}
    func upstreamReached(_ watermark: EventTime, firingTimers: Bool) {}
    func raiseWatermark(to watermark: EventTime, firingTimers: Bool) {}
    func resume(at watermark: EventTime, position: SourcePosition?) {}
    func begin(at offset: Int64) {}
    func cut(_ epoch: Epoch) -> TaskCut {
        TaskCut(task: id, watermark: watermark, position: nil, deltas: [], rows: [], sent: [], received: [])
    }
}

private final class HeldTable: StateTable {
    static let name = "records"

    let declaration = StateDeclaration(
        schema: StateSchema(
            table: HeldTable.name, version: 1, key: .key, hasTimer: false, fields: [StateField(name: "bytes", type: .text)]
        ))
    let memoryBytes = 0

    func cut() -> StateDelta? { nil }
    func restore(_ change: StateDelta.Change, isCompacted: Bool) -> Bool { true }
    func noteUnloaded(_ key: ByteView) -> Bool { true }
    func release(compactedThrough epoch: UInt32, evicting bytes: Int) -> Int { 0 }
}
