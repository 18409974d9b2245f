import Engine

/// A task that declares state tables and does nothing, for a state that is written by hand.
public final class DeclaredTask: StreamTask {
    public let id: TaskID
    public let stateTables: [any StateTable]
    public let watermark = EventTime.distantPast
    public let lastOpenWindowEnd: EventTime? = nil
    public let epochBytes = 0
    public let counters = TaskCounters()

    public init(id: TaskID, schemas: [StateSchema]) {
        self.id = id
        stateTables = schemas.map(DeclaredTable.init)
    }

    public func process(_ records: UnsafeBufferPointer<SourceRecord>, at now: EventTime) {}
    public func passOver(_ skipped: SkippedRecords) {}
    public func process(_ batch: MessageBatch) {}
    public func upstreamReached(_ watermark: EventTime, firingTimers: Bool) {}
    public func raiseWatermark(to watermark: EventTime, firingTimers: Bool) {}
    public func begin(at offset: Int64) {}
    public func resume(at watermark: EventTime, position: SourcePosition?) {}
    public func cut(_ epoch: Epoch) -> TaskCut {
        TaskCut(task: id, watermark: watermark, position: nil, deltas: [], rows: [], sent: [], received: [])
    }
}

private final class DeclaredTable: StateTable {
    let declaration: StateDeclaration
    let memoryBytes = 0
    let isHeldWhole = false

    init(schema: StateSchema) { declaration = StateDeclaration(schema: schema) }

    func cut() -> StateDelta? { nil }
    func restore(_ change: StateDelta.Change, isCompacted: Bool) -> Bool { true }
    func noteUnloaded(_ key: ByteView) -> Bool { true }
    func release(compactedThrough epoch: UInt32, evicting bytes: Int) -> Int { 0 }
}
