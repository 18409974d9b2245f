/// A task as the worker drives it: one partition of one stage, on one thread at a time.
package protocol StreamTask: AnyObject {
    var id: TaskID { get }
    var watermark: EventTime { get }
    var stateTables: [any StateTable] { get }
    /// The end of the last window still open in any processor; nil when none is.
    var lastOpenWindowEnd: EventTime? { get }
    /// Bytes of rows and messages produced since the last cut.
    var epochBytes: Int { get }
    var counters: TaskCounters { get }

    /// Processes consecutive records of the task's partition. `now`: what the worker's clock says.
    func process(_ records: UnsafeBufferPointer<SourceRecord>, at now: EventTime) throws
    /// The reader stands at the end of the task's partition, with everything before `next` processed. A task that has
    /// read nothing yet takes note of that place: a start from "the latest records" must be the same after a restart.
    func reachedEnd(next: Int64)
    /// Goes on behind records that can't be read, and rejects each of them by the operator's words.
    func passOver(_ skipped: SkippedRecords)
    /// Processes what another task sent.
    func process(_ batch: MessageBatch) throws
    /// Takes note of how far the upstream tasks' watermarks were when the batches processed so far were cut.
    /// `firingTimers`: false when they were raised because a bounded run ends.
    func upstreamReached(_ watermark: EventTime, firingTimers: Bool) throws
    /// Raises the watermark of an idle partition, or of all at the end of a bounded run (then without timers).
    func raiseWatermark(to watermark: EventTime, firingTimers: Bool) throws
    /// Called once after the state was restored, before anything is processed.
    func resume(at watermark: EventTime, position: SourcePosition?) throws
    /// Called once for a partition that there is no state of: where reading begins is stored with the next cut, so that
    /// a restart goes on from there even when no record came until then.
    func begin(at offset: Int64)
    /// Hands over everything that changed since the last cut; the task goes on at once with the next epoch.
    func cut(_ epoch: Epoch) -> TaskCut
}

extension StreamTask {
    package func reachedEnd(next: Int64) {}
}

/// How many records a task has seen since it started.
public struct TaskCounters: Sendable, Equatable {
    public var records: UInt64 = 0
    public var rejected: UInt64 = 0
    public var late: UInt64 = 0
    public var skipped: [String: UInt64] = [:]
    /// Why records were rejected.
    public var reasons = ReasonCounts()
    /// What the decoder said of records that it used all the same.
    public var remarks = ReasonCounts()
    /// Of the late ones, those that another task read and forwarded, by that task.
    public var lateOf: [TaskID: UInt64] = [:]
    /// How many times a name found no room in its record: counted as another, or not at all.
    public var namesLeftOut: UInt64 = 0
    /// Where that came first; nil while it has not.
    public var firstLeftOut: NamesLeftOut?
    /// The record that moved the watermark last; nil when none has.
    public var raisedBy: RaisingRecord?
    /// When the earliest timer may be due, as of the last epoch; nil when none is set.
    public var earliestTimer: EventTime?

    package init() {}
}

/// A record that moved its partition's watermark.
public struct RaisingRecord: Sendable, Equatable {
    public let offset: Int64
    public let time: EventTime
    /// Its log's; nil where that gives none.
    public let timestamp: EventTime?

    package init(offset: Int64, time: EventTime, timestamp: EventTime?) {
        self.offset = offset
        self.time = time
        self.timestamp = timestamp
    }
}

/// What one task changed in one epoch.
public struct TaskCut: Sendable {
    public let task: TaskID
    public let watermark: EventTime
    /// True when the watermark was raised last because a bounded run ended, so that nobody fires timers because of it.
    public let isEnded: Bool
    /// How far the task has read its partition; nil when it did not read in this epoch or reads no partition.
    package let position: SourcePosition?
    package let deltas: [StateDelta]
    public let rows: [OutboxChunk]
    public let sent: [MessageBatch]
    /// The batches from other tasks that were processed in this epoch.
    package let received: [MessageBatchID]

    package init(
        task: TaskID, watermark: EventTime, isEnded: Bool = false, position: SourcePosition?, deltas: [StateDelta], rows: [OutboxChunk],
        sent: [MessageBatch], received: [MessageBatchID]
    ) {
        self.task = task
        self.watermark = watermark
        self.isEnded = isEnded
        self.position = position
        self.deltas = deltas
        self.rows = rows
        self.sent = sent
        self.received = received
    }
}
