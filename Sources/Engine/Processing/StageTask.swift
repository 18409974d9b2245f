/// A task of one stage: decodes records into events and drives its processors over them, a batch at a time.
///
/// ```swift
/// setup.decode(with: ClickDecoder())
///     .window(.minutes(1), ClicksPerPage(rows: setup.rows(of: clicksTable)))
/// ```
public final class StageTask<Decoder: EventDecoder>: StreamTask {
    public let id: TaskID
    public private(set) var watermark = EventTime.distantPast
    public private(set) var counters = TaskCounters()

    private var decoder: Decoder
    private let setup: TaskSetup
    private var processors: [any EventProcessor<Decoder.Event>] = []
    private var lateness = EventSpan.seconds(0)
    private var rejections: RejectionWriter?
    private let scratch = ScratchMemory()
    private let events: UnsafeMutableBufferPointer<TimedEvent<Decoder.Event>>
    private var rejected: [(record: Int32, rejection: Rejection)] = []
    private var position: SourcePosition?
    private var hasMoved = false
    private var received: [MessageBatchID] = []

    /// Records are decoded and processed this many at a time.
    private static var batchSize: Int { 1024 }

    init(decoder: Decoder, setup: TaskSetup) {
        self.decoder = decoder
        self.setup = setup
        id = setup.task
        events = .allocate(capacity: Self.batchSize)
    }

    deinit { events.deallocate() }

    /// Adds a processor that adds events up in tumbling windows of `span`.
    @discardableResult
    @inlinable
    public func window<Aggregate: WindowedAggregate>(_ span: EventSpan, _ aggregate: Aggregate) -> StageTask
    where Aggregate.Event == Decoder.Event {
        add(WindowedProcessor(aggregate, span: span, task: id, cold: cold))
    }

    /// Adds a processor that looks at each event with its key's record at hand.
    @discardableResult
    @inlinable
    public func process<Processor: KeyedProcessor>(_ processor: Processor) -> StageTask
    where Processor.Event == Decoder.Event {
        add(KeyedProcessorRunner(processor, task: id, cold: cold))
    }

    @usableFromInline var cold: any ColdStateReader { setup.environment.cold }

    @usableFromInline
    func add(_ processor: any EventProcessor<Decoder.Event>) -> StageTask {
        processors.append(processor)
        let names = stateTables.map(\.schema.table)
        precondition(Set(names).count == names.count, "stage \(id.stage): two state tables have the same name")
        return self
    }

    /// How far events may come out of order: the watermark stays this much behind the greatest event time.
    @discardableResult
    public func outOfOrderness(_ span: EventSpan) -> StageTask {
        lateness = span
        return self
    }

    /// Where records that can't be used go. Without it those of a topic are only counted, and a message that can't be
    /// used is an error.
    @discardableResult
    public func rejecting(topic: String) -> StageTask {
        rejections = RejectionWriter(rows: setup.rows(of: RejectedRecords.table), topic: topic, partition: id.partition)
        return self
    }

    public var stateTables: [any StateTable] { processors.flatMap(\.stateTables) + setup.sideStates.map(\.table) }
    public var lastOpenWindowEnd: EventTime? { processors.compactMap(\.lastOpenWindowEnd).max() }

    public var epochBytes: Int {
        setup.rowWriters.reduce(0) { $0 + $1.epochBytes } + setup.messageWriters.reduce(0) { $0 + $1.epochBytes }
    }

    public func resume(at watermark: EventTime, position: SourcePosition?) throws {
        self.watermark = watermark
        self.position = position
        for processor in processors { try processor.resume(at: watermark) }
        try setup.checkSideStates()
    }

    public func begin(at offset: Int64) {
        position = SourcePosition(next: offset, last: nil)
        hasMoved = true
    }

    public func process(_ records: UnsafeBufferPointer<SourceRecord>) throws {
        var start = 0
        while start < records.count {
            let end = min(start + Self.batchSize, records.count)
            try processBatch(UnsafeBufferPointer(rebasing: records[start..<end]), movesWatermark: true)
            start = end
        }
        guard let last = records.last else { return }
        position = SourcePosition(next: last.offset + 1, last: RecordFingerprint(of: last))
        hasMoved = true
    }

    public func reachedEnd(next: Int64) {
        guard position == nil else { return }
        position = SourcePosition(next: next, last: nil)
        hasMoved = true
    }

    public func process(_ batch: MessageBatch) throws {
        let rejectedBefore = counters.rejected
        var records: [SourceRecord] = []
        records.reserveCapacity(batch.count)
        try batch.bytes.withUnsafeBytes { bytes in
            guard batch.forEachRecord(in: ByteView(bytes), { records.append($0) }) else {
                throw MessageDamage(batch: batch.id)
            }
            try records.withUnsafeBufferPointer { all in
                var start = 0
                while start < all.count {
                    let end = min(start + Self.batchSize, all.count)
                    try processBatch(UnsafeBufferPointer(rebasing: all[start..<end]), movesWatermark: false)
                    start = end
                }
            }
        }
        received.append(batch.id)
        guard rejections != nil || counters.rejected == rejectedBefore else { throw UnusableMessage(batch: batch.id) }
    }

    public func upstreamReached(_ watermark: EventTime, firingTimers: Bool) throws {
        try raiseWatermark(to: watermark, firingTimers: firingTimers)
    }

    public func raiseWatermark(to watermark: EventTime, firingTimers: Bool) throws {
        guard watermark > self.watermark else { return }
        self.watermark = watermark
        for processor in processors { try processor.advance(to: watermark, firingTimers: firingTimers) }
        try setup.checkSideStates()
    }

    private func processBatch(_ records: UnsafeBufferPointer<SourceRecord>, movesWatermark: Bool) throws {
        scratch.reset()
        rejected.removeAll(keepingCapacity: true)
        var count = 0
        for index in records.indices {
            switch decoder.decode(records[index], scratch: scratch) {
            case .event(let event, let time):
                if movesWatermark { watermark = max(watermark, time - lateness) }
                events.initializeElement(at: count, to: TimedEvent(event: event, time: time, watermark: watermark, record: Int32(index)))
                count += 1
            case .skipped(let name):
                counters.skipped[String(describing: name), default: 0] += 1
            case .rejected(let rejection):
                rejected.append((Int32(index), rejection))
            }
        }
        counters.records += UInt64(records.count)
        let batch = UnsafeMutableBufferPointer(rebasing: events[..<count])
        for processor in processors { try processor.process(batch) }
        try setup.checkSideStates()
        for event in batch where event.isLate {
            rejected.append((event.record, .late))
            counters.late += 1
        }
        try writeRejections(of: records)
    }

    private func writeRejections(of records: UnsafeBufferPointer<SourceRecord>) throws {
        guard !rejected.isEmpty else { return }
        counters.rejected += UInt64(rejected.count)
        guard let rejections else { return }
        rejected.sort { $0.record < $1.record }
        for (record, rejection) in rejected { rejections.write(records[Int(record)], rejection) }
    }

    public func cut(_ epoch: Epoch) -> TaskCut {
        defer {
            hasMoved = false
            received.removeAll()
        }
        for state in setup.sideStates { state.windowsClosed(through: watermark) }
        return TaskCut(
            task: id, watermark: watermark, position: hasMoved ? position : nil,
            deltas: stateTables.compactMap { $0.cut() },
            rows: setup.rowWriters.flatMap { $0.cut(task: id, epoch: epoch) },
            sent: setup.messageWriters.flatMap { $0.cut(epoch: epoch) },
            received: received
        )
    }
}

/// A message that its receiver rejected or was too late for, in a stage that says nowhere where such go: what one task
/// made for another must not get lost.
struct UnusableMessage: Failure {
    let kind = FailureKind.bug
    let message: String
    let cause: (any Error)? = nil

    init(batch: MessageBatchID) {
        message = "task \(batch.to) can't use a message of task \(batch.from) (epoch \(batch.epoch)): it does not decode, or came after its window was closed. Nothing of it was stored; report this with the state directory"
    }
}

/// A batch between tasks that does not decode.
struct MessageDamage: Failure {
    let kind = FailureKind.corrupt
    let message: String
    let cause: (any Error)? = nil

    init(batch: MessageBatchID) {
        message = "the batch from task \(batch.from) to \(batch.to) of epoch \(batch.epoch) is damaged; keep the state directory for examination, and go on from a copy of it made before the damage, or start with an empty one and new tables"
    }
}
