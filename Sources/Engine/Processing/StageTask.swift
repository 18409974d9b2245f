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
    private var maxAhead: EventSpan?
    private var rejections: RejectionWriter?
    private var repeats: Deduplicator<Decoder.Event>?
    private var amendments: (any AmendmentFilter<Decoder.Event>)?
    private var notesEvents = false
    /// Sends the events of a batch on; the watermark is that before the first of them.
    private var forward: ((UnsafeMutableBufferPointer<TimedEvent<Decoder.Event>>, UnsafeBufferPointer<SourceRecord>, EventTime) -> Void)?
    /// Set in a stage that another one forwards events to.
    private var forwarded: KeyedEvents?
    private let scratch = ScratchMemory()
    private let events: UnsafeMutableBufferPointer<TimedEvent<Decoder.Event>>
    private var rejected: [(record: Int32, rejection: Rejection)] = []
    private var position: SourcePosition?
    private var hasMoved = false
    /// The watermark is where it is because a bounded run ended.
    private var isEnded = false
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

    func messages(to stage: StageName, layout: MessageLayout) -> MessageWriter { setup.messages(to: stage, layout: layout) }

    /// What the hashes depend on that the job stores, or has its tasks agree on.
    var hashKey: HashKey { setup.environment.hashKey }

    /// How many tasks the stage has.
    var partitions: Int { setup.environment.partitions[id.stage] ?? 1 }

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

    /// How far the times of a topic's records may be ahead of the worker's clock: one that is further would close every window up to
    /// it, so it is rejected. With nil any time is taken.
    @discardableResult
    public func rejectingAhead(by span: EventSpan?) -> StageTask {
        maxAhead = span
        return self
    }

    /// Where records that can't be used go. Without it those of a topic are only counted, and a message that can't be
    /// used is an error.
    @discardableResult
    public func rejecting(topic: String) -> StageTask {
        rejections = RejectionWriter(rows: setup.rows(of: RejectedRecords.table), topic: topic)
        return self
    }

    /// Drops events whose ids have come already. Ids are remembered until the watermark has passed the end of their
    /// bucket, in which their events' times lie, by `horizon`; older events, of which nobody can say whether they have
    /// come, are rejected as late. With `horizon` nil nothing is dropped, and what the state knows of ids is forgotten.
    ///
    /// `name` and `version` as a processor's. Ids are kept as 128-bit hashes under the job's key, all of them in memory.
    @discardableResult
    public func deduplicating(
        _ name: String, version: Int, horizon: EventSpan?, bucket: EventSpan = .hours(1), id: @escaping (Decoder.Event) -> ByteView
    ) -> StageTask {
        let ids = DeduplicationIDs(name: name, version: version, horizon: horizon ?? .seconds(0), bucket: bucket, key: hashKey)
        repeats = Deduplicator(ids, isOn: horizon != nil, id: id)
        return self
    }

    /// Has `filter` say which amendments the processors get. `notesEvents`: it sees the events as well; without that, it goes by
    /// what its state knows from before. Without a filter they get all.
    @discardableResult
    public func amending(by filter: any AmendmentFilter<Decoder.Event>, notesEvents: Bool) -> StageTask {
        amendments = filter
        self.notesEvents = notesEvents
        return self
    }

    /// Sends every event on to a stage that is keyed by something else, after this task's own processors.
    @discardableResult
    public func keyBy<Key: KeyBy>(_ key: Key, to stage: StageName) -> StageTask where Key.Event == Decoder.Event {
        var layout = Key.layout
        layout.isForwarded = true
        let keyer = EventKeyer(key, messages: setup.messages(to: stage, layout: layout))
        forward = { keyer.forward($0, of: $1, before: $2) }
        return self
    }

    /// Makes this the stage that `stage` forwards the events of `topic` to. The watermark is the least of its senders',
    /// and events that are too late are rejected as the records that they were.
    @discardableResult
    public func receivingKeyed(from stage: StageName, topic: String) -> StageTask {
        forwarded = KeyedEvents(from: stage, partitions: setup.environment.partitions[stage] ?? 1)
        return rejecting(topic: topic)
    }

    package var stateTables: [any StateTable] {
        processors.flatMap(\.stateTables) + setup.sideStates.map(\.table) + (repeats.map { [$0.ids] } ?? [])
    }
    package var lastOpenWindowEnd: EventTime? { processors.compactMap(\.lastOpenWindowEnd).max() }

    package var epochBytes: Int {
        setup.rowWriters.reduce(0) { $0 + $1.epochBytes } + setup.messageWriters.reduce(0) { $0 + $1.epochBytes }
    }

    package func resume(at watermark: EventTime, position: SourcePosition?) throws {
        self.watermark = watermark
        self.position = position
        for table in stateTables { table.namesPerRecord = setup.environment.namesPerRecord }
        for processor in processors { try processor.resume(at: watermark) }
        try setup.checkSideStates()
    }

    package func begin(at offset: Int64) {
        position = SourcePosition(next: offset, last: nil)
        hasMoved = true
    }

    public func process(_ records: UnsafeBufferPointer<SourceRecord>, at now: EventTime) throws {
        let latest = maxAhead.map { now + $0 } ?? .distantFuture
        try inBatches(records) { records, _ in
            try processBatch(
                records, largest: setup.environment.recordLimit, latest: latest, movesWatermark: !setup.environment.holdsWatermarks)
            try writeRejections { (records[$0], id.partition) }
        }
        guard let last = records.last else { return }
        position = SourcePosition(next: last.offset + 1, last: RecordFingerprint(of: last))
        hasMoved = true
    }

    private func inBatches(
        _ records: UnsafeBufferPointer<SourceRecord>, _ body: (_ batch: UnsafeBufferPointer<SourceRecord>, _ start: Int) throws -> Void
    ) rethrows {
        var start = 0
        while start < records.count {
            let end = min(start + Self.batchSize, records.count)
            try body(UnsafeBufferPointer(rebasing: records[start..<end]), start)
            start = end
        }
    }

    package func passOver(_ skipped: SkippedRecords) {
        let reason = Array("skipped:\(skipped.reason)".utf8)
        for offset in skipped.first...skipped.last {
            counters.rejected += 1
            let record = SourceRecord(offset: offset, timestamp: skipped.at, key: .null, value: .null)
            reason.withUnsafeBytes { rejections?.write(record, of: id.partition, reason: ByteView($0)) }
        }
        // The last record that was read is still the one to recognise the log by.
        position = SourcePosition(next: skipped.last + 1, last: position?.last)
        hasMoved = true
    }

    package func reachedEnd(next: Int64) {
        guard next > position?.next ?? -1 else { return }
        // What lies between is nothing that anybody reads: the ends of transactions, and records of those that were aborted.
        position = SourcePosition(next: next, last: position?.last)
        hasMoved = true
    }

    public func process(_ batch: MessageBatch) throws {
        var records: [SourceRecord] = []
        records.reserveCapacity(batch.count)
        try batch.bytes.withUnsafeBytes { bytes in
            guard batch.forEachRecord(in: ByteView(bytes), { records.append($0) }) else { throw MessageDamage(batch: batch.id) }
            if let forwarded {
                guard forwarded.open(batch, &records) else { throw MessageDamage(batch: batch.id) }
                try records.withUnsafeBufferPointer { try process($0, of: batch.id, forwarded) }
            } else {
                try records.withUnsafeBufferPointer { try process($0, of: batch.id) }
            }
        }
        received.append(batch.id)
    }

    private func process(_ records: UnsafeBufferPointer<SourceRecord>, of batch: MessageBatchID) throws {
        try inBatches(records) { records, _ in
            try processBatch(records, movesWatermark: false)
            guard rejections != nil || rejected.isEmpty else { throw UnusableMessage(batch: batch) }
            try writeRejections { (records[$0], id.partition) }
        }
    }

    private func process(_ records: UnsafeBufferPointer<SourceRecord>, of batch: MessageBatchID, _ forwarded: KeyedEvents) throws {
        try inBatches(records) { records, start in
            try processBatch(records, movesWatermark: false) { forwarded.watermark(before: start + $0) }
            counters.lateOf[batch.from, default: 0] += UInt64(rejected.count)
            try writeRejections { index in
                guard let record = forwarded.record(start + index) else { throw UnusableMessage(batch: batch) }
                return (record, forwarded.partition)
            }
        }
    }

    public func upstreamReached(_ watermark: EventTime, firingTimers: Bool) throws {
        forwarded?.reached(watermark)
        try raiseWatermark(to: watermark, firingTimers: firingTimers)
    }

    package func raiseWatermark(to watermark: EventTime, firingTimers: Bool) throws {
        guard watermark > self.watermark else { return }
        self.watermark = watermark
        isEnded = !firingTimers
        for processor in processors { try processor.advance(to: watermark, firingTimers: firingTimers) }
        try setup.checkSideStates()
    }

    /// `largest`: records of more bytes are rejected; `latest`: those of later times. `before`: how far the watermark is before the record with this place in the batch,
    /// where records say so.
    private func processBatch(
        _ records: UnsafeBufferPointer<SourceRecord>, largest: Int = .max, latest: EventTime = .distantFuture, movesWatermark: Bool,
        before: ((Int) -> EventTime)? = nil
    ) throws {
        scratch.reset()
        rejected.removeAll(keepingCapacity: true)
        let start = watermark
        var count = 0
        for index in records.indices {
            if let before { try reach(before(index), behind: count) }
            guard records[index].byteCount <= largest else {
                rejected.append((Int32(index), .tooLarge))
                continue
            }
            switch decoder.decode(records[index], scratch: scratch) {
            case .event(let event, let time):
                guard time <= latest else {
                    rejected.append((Int32(index), .aheadOfClock))
                    continue
                }
                guard try isWanted(event, at: time, Int32(index)) else { continue }
                if movesWatermark, time - lateness > watermark {
                    move(to: time - lateness)
                    counters.raisedBy = RaisingRecord(offset: records[index].offset, time: time, timestamp: records[index].timestamp)
                }
                events.initializeElement(at: count, to: TimedEvent(event: event, time: time, watermark: watermark, record: Int32(index)))
                count += 1
            case .amendment(let amendment, let time):
                guard time <= latest else {
                    rejected.append((Int32(index), .aheadOfClock))
                    continue
                }
                if let refusal = amendments?.refusal(of: amendment, at: time, watermark: watermark) {
                    skip(refusal)
                    continue
                }
                let timed = TimedEvent(event: amendment, time: time, watermark: watermark, record: Int32(index), isAmendment: true)
                events.initializeElement(at: count, to: timed)
                count += 1
            case .skipped(let name): skip(name)
            case .rejected(let rejection):
                rejected.append((Int32(index), rejection))
            }
        }
        counters.records += UInt64(records.count)
        let batch = UnsafeMutableBufferPointer(rebasing: events[..<count])
        for processor in processors { try processor.process(batch) }
        forward?(batch, records, start)
        if let remarks = setup.remarks.take() { counters.remarks.add(remarks) }
        try setup.checkSideStates()
        for event in batch where event.isLate || event.hasNoRecord {
            guard !event.isAmendment else {
                // What a filter lets through has counted: where there is no record of it, a repartition left that in another task.
                if event.isLate || amendments != nil { skip(AmendmentRefusal.late) }
                continue
            }
            rejected.append((event.record, .late))
            counters.late += 1
        }
    }

    private func skip(_ name: StaticString) { counters.skipped[String(describing: name), default: 0] += 1 }

    /// Raises the watermark behind the last of `count` events of the batch, before the next one.
    private func reach(_ watermark: EventTime, behind count: Int) throws {
        guard watermark > self.watermark else { return }
        guard count > 0 else { return try raiseWatermark(to: watermark, firingTimers: true) }
        move(to: watermark)
        events[count - 1].watermark = watermark
    }

    private func move(to watermark: EventTime) {
        self.watermark = watermark
        isEnded = false
    }

    /// False for an event that has come already, or so late that nobody can say.
    private func isWanted(_ event: Decoder.Event, at time: EventTime, _ record: Int32) throws -> Bool {
        switch try repeats?.note(event, at: time, watermark: watermark) ?? .new {
        case .new:
            if notesEvents { amendments?.note(event, at: time, watermark: watermark) }
            return true
        case .repeated: skip(AmendmentRefusal.repeated)
        case .tooOld:
            rejected.append((record, .late))
            counters.late += 1
        }
        return false
    }

    private func writeRejections(of record: (Int) throws -> (SourceRecord, partition: Int)) throws {
        guard !rejected.isEmpty else { return }
        counters.rejected += UInt64(rejected.count)
        guard let rejections else { return }
        rejected.sort { $0.record < $1.record }
        for (index, rejection) in rejected {
            let (record, partition) = try record(Int(index))
            counters.reasons.add(rejection, at: record.offset)
            rejections.write(record, of: partition, rejection)
        }
    }

    public func cut(_ epoch: Epoch) -> TaskCut {
        defer {
            hasMoved = false
            received.removeAll()
        }
        for state in setup.sideStates { state.windowsClosed(through: watermark) }
        repeats?.ids.close(through: watermark)
        let tables = stateTables
        let deltas = tables.compactMap { $0.cut() }
        counters.earliestTimer = tables.compactMap(\.earliestTimer).min()
        for leftOut in tables.compactMap({ $0.takeNamesLeftOut() }) {
            counters.namesLeftOut += leftOut.count
            counters.firstLeftOut = counters.firstLeftOut ?? leftOut
        }
        return TaskCut(
            task: id, watermark: watermark, isEnded: isEnded, position: hasMoved ? position : nil,
            deltas: deltas,
            rows: setup.rowWriters.flatMap { $0.cut(task: id, epoch: epoch) },
            sent: setup.messageWriters.flatMap { $0.cut(epoch: epoch) },
            received: received
        )
    }
}
