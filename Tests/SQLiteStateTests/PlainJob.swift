import Engine

/// A job whose state tables are dictionaries: what a store gives back can be compared with what it was given.
enum PlainJob {
    static let rows = OutputTable("rows", timeColumn: "at", orderBy: ["at"], columns: [OutputColumn("at", .time)])
    static let other = OutputTable("other", timeColumn: "at", orderBy: ["at"], columns: [OutputColumn("at", .time)])

    static func topology(
        job: String = "plain", version: Int = 1, schemas: [StateSchema] = PlainTask.schemas, tables: [OutputTable] = [rows, other],
        fixedSettings: [String: String] = [:],
        settingsOfEarlierStates: [String: String] = [:], messages: MessageLayout = MessageLayout(version: 1)
    ) -> Topology {
        topology(
            job: job, version: version, declarations: schemas.map { StateDeclaration(schema: $0) }, tables: tables,
            fixedSettings: fixedSettings,
            settingsOfEarlierStates: settingsOfEarlierStates, messages: messages
        )
    }

    static func topology(
        job: String = "plain", version: Int, declarations: [StateDeclaration], tables: [OutputTable] = [rows, other],
        fixedSettings: [String: String] = [:],
        settingsOfEarlierStates: [String: String] = [:], messages: MessageLayout = MessageLayout(version: 1)
    ) -> Topology {
        Topology(
            job: job, version: version,
            stages: [
                Stage("first", input: .topic("topic")) { setup in
                    for table in tables { _ = setup.rows(of: table) }
                    _ = setup.messages(to: "second", layout: messages)
                    return PlainTask(id: setup.task, declarations: declarations)
                },
                Stage("second", input: .messages(partitions: 2)) { PlainTask(id: $0.task, schemas: []) },
            ], fixedSettings: fixedSettings, settingsOfEarlierStates: settingsOfEarlierStates)
    }

    static func task(_ partition: Int) -> TaskID { TaskID(stage: "first", partition: partition) }
    static func receiver(_ partition: Int) -> TaskID { TaskID(stage: "second", partition: partition) }

    static func chunk(_ task: Int, epoch: UInt64, sequence: Int = 0, table: String = "rows", partition: Int32 = 1, rows: Int = 2)
        -> OutboxChunk
    {
        let id = ChunkID(table: table, task: PlainJob.task(task), epoch: Epoch(epoch), sequence: sequence)
        return OutboxChunk(
            id: id, layout: table == "other" ? other : PlainJob.rows, partition: partition, rowCount: rows,
            bytes: (0..<UInt8(rows * 8)).map { $0 &+ UInt8(truncatingIfNeeded: epoch) })
    }

    static func batch(_ number: UInt64, _ chunks: [OutboxChunk]) -> SinkBatch {
        SinkBatch(
            table: chunks[0].id.table, lineage: .first, number: BatchNumber(number), layout: chunks[0].layout,
            partition: chunks[0].partition, chunks: chunks)
    }

    static func position(_ next: Int64) -> SourcePosition {
        SourcePosition(
            next: next, last: RecordFingerprint(offset: next - 1, timestamp: 1_000 + next, checksum: UInt32(truncatingIfNeeded: next &* 77))
        )
    }

    static func cut(
        _ epoch: UInt64, _ tasks: [TaskCut] = [], frozen: [SinkBatch] = [], delivered: [SinkBatch] = [], wallClock: Int64 = 0
    ) -> EpochCut {
        EpochCut(epoch: Epoch(epoch), tasks: tasks, frozen: frozen, delivered: delivered.map(\.id), wallClock: wallClock)
    }

    static func taskCut(
        _ task: TaskID, watermark: Int64 = 0, isEnded: Bool = false, position: SourcePosition? = nil, deltas: [StateDelta] = [],
        rows: [OutboxChunk] = [],
        sent: [MessageBatch] = [], received: [MessageBatchID] = []
    ) -> TaskCut {
        TaskCut(
            task: task, watermark: EventTime(milliseconds: watermark), isEnded: isEnded, position: position, deltas: deltas, rows: rows,
            sent: sent, received: received)
    }

    static func message(from: Int, to: Int, epoch: UInt64) -> MessageBatch {
        MessageBatch(
            id: MessageBatchID(from: task(from), to: receiver(to), epoch: Epoch(epoch)), count: 1,
            bytes: [1, 0x61, 1, UInt8(truncatingIfNeeded: epoch)])
    }
}

/// A task that does nothing but hold dictionaries.
final class PlainTask: StreamTask {
    static let keyed = StateSchema(table: "keyed", version: 1, key: .key, hasTimer: false, fields: [StateField(name: "a", type: .unsigned)])
    static let windowed = StateSchema(
        table: "windowed", version: 1, key: .windowAndKey, hasTimer: false, fields: [StateField(name: "a", type: .unsigned)])
    static let schemas = [keyed, windowed]

    let id: TaskID
    let tables: [PlainTable]
    let watermark = EventTime.distantPast
    let lastOpenWindowEnd: EventTime? = nil
    let epochBytes = 0
    let counters = TaskCounters()
    var stateTables: [any StateTable] { tables }

    convenience init(id: TaskID, schemas: [StateSchema] = PlainTask.schemas) {
        self.init(id: id, declarations: schemas.map { StateDeclaration(schema: $0) })
    }

    init(id: TaskID, declarations: [StateDeclaration]) {
        self.id = id
        tables = declarations.map { PlainTable($0) }
    }

    func process(_ records: UnsafeBufferPointer<SourceRecord>, at now: EventTime) {}
    func passOver(_ skipped: SkippedRecords) {}
    func process(_ batch: MessageBatch) {}
    func upstreamReached(_ watermark: EventTime, firingTimers: Bool) {}
    func raiseWatermark(to watermark: EventTime, firingTimers: Bool) {}
    func begin(at offset: Int64) {}
    func resume(at watermark: EventTime, position: SourcePosition?) {}
    func cut(_ epoch: Epoch) -> TaskCut { PlainJob.taskCut(id) }
}

/// A state table that is a dictionary.
final class PlainTable: StateTable {
    let declaration: StateDeclaration
    private(set) var rows: [[UInt8]: [UInt8]] = [:]
    private(set) var unloaded: [[UInt8]] = []
    private(set) var compactedRows = 0

    init(_ declaration: StateDeclaration) { self.declaration = declaration }

    var memoryBytes: Int { rows.reduce(0) { $0 + $1.key.count + $1.value.count } }
    func cut() -> StateDelta? { nil }
    func release(compactedThrough epoch: UInt32, evicting bytes: Int) -> Int { 0 }

    func noteUnloaded(_ key: ByteView) -> Bool {
        unloaded.append(key.copy())
        return true
    }

    func restore(_ change: StateDelta.Change, isCompacted: Bool) -> Bool {
        compactedRows += isCompacted ? 1 : 0
        switch change {
        case .windowClosed(let prefix):
            let closed = prefix.copy()
            rows = rows.filter { !$0.key.starts(with: closed) }
        case .removed(let key): rows[key.copy()] = nil
        case .stored(let key, let record): rows[key.copy()] = record.copy()
        }
        return true
    }
}

/// What an epoch changes in a plain table.
struct PlainChanges {
    var closed: [Int64] = []
    var removed: [[UInt8]] = []
    var stored: [([UInt8], [UInt8])] = []

    static func windowKey(_ start: Int64, _ key: [UInt8] = []) -> [UInt8] {
        let bits = UInt64(bitPattern: start) ^ 1 << 63
        return (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * UInt64($0))) } + key
    }

    func delta(_ table: String) -> StateDelta {
        var writer = ByteWriter()
        writer.write(byte: StateDelta.format)
        writer.write(varint: UInt64(closed.count))
        for start in closed { PlainChanges.windowKey(start).withUnsafeBytes { writer.write(raw: ByteView($0)) } }
        writer.write(varint: UInt64(removed.count))
        for key in removed { key.withUnsafeBytes { writer.write(text: ByteView($0)) } }
        writer.write(varint: UInt64(stored.count))
        for (key, record) in stored {
            key.withUnsafeBytes { writer.write(text: ByteView($0)) }
            record.withUnsafeBytes { writer.write(text: ByteView($0)) }
        }
        return StateDelta(table: table, bytes: writer.copy())
    }

    /// The same changes in a dictionary.
    func apply(to rows: inout [[UInt8]: [UInt8]]) {
        for start in closed {
            let prefix = PlainChanges.windowKey(start)
            rows = rows.filter { !$0.key.starts(with: prefix) }
        }
        for key in removed { rows[key] = nil }
        for (key, record) in stored { rows[key] = record }
    }
}
