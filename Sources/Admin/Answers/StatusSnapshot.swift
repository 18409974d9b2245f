/// What a worker shows of itself at one moment; `/status` answers with it as JSON.
///
/// Texts in it are shown to whoever asks: whoever fills it takes secrets out before.
package struct StatusSnapshot: Codable, Sendable, Equatable {
    /// Where the worker is in its life.
    package enum Phase: String, Codable, Sendable, CaseIterable {
        case starting, running, draining, finished
    }

    package var job: String
    package var version: String
    package var phase: Phase
    package var uptimeSeconds: Double
    package var lineage: UInt32
    package var epoch: UInt64
    /// How long the last epoch's commit took.
    package var lastCommitMilliseconds: Double
    /// Reading waits for deliveries, because the outbox or memory is full.
    package var isReadingHeld: Bool
    package var partitions: [Partition] = []
    package var tables: [Table] = []
    package var references: [Reference] = []
    /// Why records were rejected, and what was remarked of records that were used, by stage and reason.
    package var reasons: [Reason] = []
    package var memory: Memory
    /// How many times a name found no room in its record, in all tasks.
    package var namesLeftOut: UInt64 = 0
    /// The last one of this process; nil before the first.
    package var checkpoint: Checkpoint?
    /// What the start took, in the order of its parts; complete with the first record.
    package var start: [PartTime] = []
    /// What the drain took, as far as it is over.
    package var drain: [PartTime] = []
    /// The latest problems, newest first.
    package var problems: [Problem] = []

    package init(
        job: String, version: String, phase: Phase, uptimeSeconds: Double, lineage: UInt32, epoch: UInt64,
        lastCommitMilliseconds: Double, isReadingHeld: Bool, memory: Memory
    ) {
        self.job = job
        self.version = version
        self.phase = phase
        self.uptimeSeconds = uptimeSeconds
        self.lineage = lineage
        self.epoch = epoch
        self.lastCommitMilliseconds = lastCommitMilliseconds
        self.isReadingHeld = isReadingHeld
        self.memory = memory
    }

    /// One partition of one input topic and the task that reads it.
    package struct Partition: Codable, Sendable, Equatable {
        package var topic: String
        package var partition: Int
        /// The offset to read next, as of the last commit.
        package var nextOffset: Int64?
        /// The offset after the partition's last record, when its leader said so lately.
        package var endOffset: Int64?
        /// For how long reading has stood before an open transaction; nil while it does not.
        package var openTransactionSeconds: Double?
        /// Milliseconds since 1970; nil before the first record.
        package var watermark: Int64?
        package var isIdle: Bool
        package var records: UInt64
        package var rejected: UInt64
        package var late: UInt64
        /// By reason.
        package var skipped: [String: UInt64]
        /// The record that raised the watermark furthest since the process began.
        package var raisedByOffset: Int64?

        /// Records that are not read yet.
        package var lag: Int64? {
            guard let nextOffset, let endOffset else { return nil }
            let (lag, isOver) = endOffset.subtractingReportingOverflow(nextOffset)
            return isOver ? (endOffset < nextOffset ? 0 : .max) : max(0, lag)
        }

        package init(
            topic: String, partition: Int, nextOffset: Int64?, endOffset: Int64?, openTransactionSeconds: Double? = nil,
            watermark: Int64?, isIdle: Bool, records: UInt64, rejected: UInt64, late: UInt64, skipped: [String: UInt64],
            raisedByOffset: Int64? = nil
        ) {
            self.topic = topic
            self.partition = partition
            self.nextOffset = nextOffset
            self.endOffset = endOffset
            self.openTransactionSeconds = openTransactionSeconds
            self.watermark = watermark
            self.isIdle = isIdle
            self.records = records
            self.rejected = rejected
            self.late = late
            self.skipped = skipped
            self.raisedByOffset = raisedByOffset
        }
    }

    /// One output table: what waits for delivery, and how far that is.
    package struct Table: Codable, Sendable, Equatable {
        /// What the delivery to a table is doing.
        package enum Delivery: String, Codable, Sendable, CaseIterable {
            /// Nothing to deliver.
            case idle
            /// An INSERT is under way.
            case sending
            /// What an attempt left behind is being found out.
            case unknown
            /// The server is down or refuses; it is tried again.
            case waiting
            /// Somebody has to change something.
            case stopped
        }

        package var name: String
        package var delivery: Delivery
        /// Rows in the outbox that are in no batch yet.
        package var pendingRows: Int
        /// Batches that are frozen and not delivered, and their rows.
        package var frozenBatches: Int
        package var frozenRows: Int
        /// The last batch frozen; 0 before the first.
        package var lastFrozenBatch: UInt64
        /// Since this process began; INSERTs count repeated ones too.
        package var rowsDelivered: UInt64
        package var insertsSent: UInt64
        /// Batches that were taken as delivered and could not be counted.
        package var batchesUncounted: UInt64

        /// The last batch that is delivered; batches are delivered in the order of their numbers.
        package var lastDeliveredBatch: UInt64 { lastFrozenBatch - min(lastFrozenBatch, UInt64(frozenBatches)) }

        package init(
            name: String, delivery: Delivery, pendingRows: Int, frozenBatches: Int, frozenRows: Int, lastFrozenBatch: UInt64,
            rowsDelivered: UInt64, insertsSent: UInt64, batchesUncounted: UInt64 = 0
        ) {
            self.name = name
            self.delivery = delivery
            self.pendingRows = pendingRows
            self.frozenBatches = frozenBatches
            self.frozenRows = frozenRows
            self.lastFrozenBatch = lastFrozenBatch
            self.rowsDelivered = rowsDelivered
            self.insertsSent = insertsSent
            self.batchesUncounted = batchesUncounted
        }
    }

    /// A part of a start or of a drain, and how long it took.
    package struct PartTime: Codable, Sendable, Equatable {
        package var part: String
        package var seconds: Double

        package init(part: String, seconds: Double) {
            self.part = part
            self.seconds = seconds
        }
    }

    /// A checkpoint in the store.
    package struct Checkpoint: Codable, Sendable, Equatable {
        package var number: UInt64
        /// The last epoch in it.
        package var epoch: UInt64
        /// Milliseconds since 1970 UTC.
        package var time: Int64
        /// Of all its files.
        package var bytes: Int

        package init(number: UInt64, epoch: UInt64, time: Int64, bytes: Int) {
            self.number = number
            self.epoch = epoch
            self.time = time
            self.bytes = bytes
        }
    }

    /// One reference topic and the table that is held of it.
    package struct Reference: Codable, Sendable, Equatable {
        package var name: String
        package var topic: String
        package var keys: Int
        package var memoryBytes: Int
        /// Since this process began; those that could not be used are among them.
        package var records: UInt64
        package var unusable: UInt64
        /// What could not be used, by reason and field.
        package var defects: [Defect] = []
        /// How far the start's reading is, in offsets from where it began; nil where a leader did not say where its
        /// partition ended.
        package var loaded: Int64
        package var toLoad: Int64?

        package init(
            name: String, topic: String, keys: Int, memoryBytes: Int, records: UInt64, unusable: UInt64, loaded: Int64, toLoad: Int64?
        ) {
            self.name = name
            self.topic = topic
            self.keys = keys
            self.memoryBytes = memoryBytes
            self.records = records
            self.unusable = unusable
            self.loaded = loaded
            self.toLoad = toLoad
        }
    }

    /// A reason for which records of a stage were rejected, or remarked on, since this process began.
    package struct Reason: Codable, Sendable, Equatable {
        package enum Kind: String, Codable, Sendable {
            case rejected, remark
        }

        package var kind: Kind
        /// The topic that the stage reads, or the stage's name where it reads none.
        package var topic: String
        package var reason: String
        package var count: UInt64
        /// Where it was met last, as far as that is known.
        package var partition: Int?
        package var offset: Int64?

        package init(kind: Kind, topic: String, reason: String, count: UInt64, partition: Int?, offset: Int64?) {
            self.kind = kind
            self.topic = topic
            self.reason = reason
            self.count = count
            self.partition = partition
            self.offset = offset
        }
    }

    /// What could not be used of a reference topic for one reason since this process began, and where that was met last.
    package struct Defect: Codable, Sendable, Equatable {
        package var reason: String
        /// nil for the record as a whole.
        package var field: String?
        package var count: UInt64
        package var partition: Int
        package var offset: Int64

        package init(reason: String, field: String?, count: UInt64, partition: Int, offset: Int64) {
            self.reason = reason
            self.field = field
            self.count = count
            self.partition = partition
            self.offset = offset
        }
    }

    /// Bytes.
    package struct Memory: Codable, Sendable, Equatable {
        /// Keyed state held in memory, and what it may take.
        package var stateBytes: Int
        package var stateBudget: Int
        /// Rows waiting for delivery.
        package var outboxBytes: Int
        /// What the system counts for the process.
        package var residentBytes: Int

        package init(stateBytes: Int, stateBudget: Int, outboxBytes: Int, residentBytes: Int) {
            self.stateBytes = stateBytes
            self.stateBudget = stateBudget
            self.outboxBytes = outboxBytes
            self.residentBytes = residentBytes
        }
    }

    package struct Problem: Codable, Sendable, Equatable {
        /// Milliseconds since 1970.
        package var time: Int64
        package var message: String
        /// What is said instead to those who may not see records' content, when the message may quote some; no part of the JSON.
        package var withoutRecords: String?

        package init(time: Int64, message: String, withoutRecords: String? = nil) {
            self.time = time
            self.message = message
            self.withoutRecords = withoutRecords
        }

        private enum CodingKeys: String, CodingKey {
            case time, message
        }
    }

    /// For those who may not see records' content.
    var withoutRecords: StatusSnapshot {
        var shown = self
        shown.problems = problems.map { Problem(time: $0.time, message: $0.withoutRecords ?? $0.message) }
        return shown
    }
}
