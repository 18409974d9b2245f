import Engine

/// A task that declares state tables and does nothing, for a state that is written by hand.
package final class DeclaredTask: StreamTask {
    package let id: TaskID
    package let stateTables: [any StateTable]
    package let watermark = EventTime.distantPast
    package let lastOpenWindowEnd: EventTime? = nil
    package let epochBytes = 0
    package let counters = TaskCounters()

    package init(id: TaskID, schemas: [StateSchema]) {
        self.id = id
        stateTables = schemas.map(DeclaredTable.init)
    }

    package func process(_ records: UnsafeBufferPointer<SourceRecord>, at now: EventTime) {}
    package func passOver(_ skipped: SkippedRecords) {}
    package func process(_ batch: MessageBatch) {}
    package func upstreamReached(_ watermark: EventTime, firingTimers: Bool) {}
    package func raiseWatermark(to watermark: EventTime, firingTimers: Bool) {}
    package func begin(at offset: Int64) {}
    package func resume(at watermark: EventTime, position: SourcePosition?) {}
    package func cut(_ epoch: Epoch) -> TaskCut {
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
