/// Where the engine's records come from: a Kafka cluster or a directory of files.
///
/// An implementor guarantees: records of a partition are handed over in log order, each once per reader, starting at
/// the position asked for; a partition whose log no longer fits its position (offset gone, topic recreated) is an
/// error at `open`, never a silent jump; a source that can't be reached is waited for, not an error, once it is open.
public protocol RecordSource: AnyObject, Sendable {
    /// Throws when nobody answers within the source's limit.
    func reach() throws
    /// What was said when the last of those that the records come from went away, until one answers again; nil while they answer.
    var outage: String? { get }
    /// Of records with more bytes of key and value only the beginning is handed over; nil where there is no such limit.
    var longestRecord: Int? { get }
    /// How many partitions the topic has. Throws when it does not exist or nobody answers within the source's limit.
    func partitionCount(of topic: String) throws -> Int
    /// Checks every assignment against the log and positions the source; called once, before any reader is made.
    /// Returns the offset that each partition is read from.
    @discardableResult
    func open(_ assignments: [SourceAssignment]) throws -> [TopicPartition: Int64]
    /// A reader of some of the assigned partitions, for the use of one thread.
    func makeReader(of partitions: [TopicPartition]) throws -> any RecordReader
    /// The offset after the last record of each partition that can be read now, asked of its leader; partitions whose leader did
    /// not answer within `timeout` are left out. Blocks; may be called from any thread.
    func ends(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: Int64]
    /// As `ends`, and where the logs end for those who may read everything.
    func logEnds(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: LogEnd]
    /// Tells the outside (a consumer group's lag tools) how far the durable state is. Failures are logged, never fatal.
    func report(_ positions: [TopicPartition: Int64])
}

extension RecordSource {
    public func reach() throws {}
    public var outage: String? { nil }
    public var longestRecord: Int? { nil }
    /// The limit of records' bytes beyond which they are not used: of those that the source cuts none is.
    package func limit(of wanted: Int) -> Int { min(wanted, longestRecord ?? wanted) }
    /// Of a log without transactions.
    public func logEnds(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: LogEnd] {
        ends(of: partitions, timeout: timeout).mapValues { LogEnd(end: $0, readable: $0) }
    }
}

/// Reads assigned partitions on one thread.
///
/// An implementor never skips or repeats a record between calls, and reads ahead no further than its own limit.
public protocol RecordReader: AnyObject {
    /// Waits up to `timeout` for something to happen and hands it to `handle`, at most about `maximumRecords` records.
    /// The records' bytes are valid only inside `handle`. Throws when a partition can't be read any more, as when its
    /// position fell off the log while it was being read.
    func poll(maximumRecords: Int, timeout: Duration, _ handle: (SourceEvent) -> Void) throws
    /// What records that were read have to wait for before they are handed over, for people; nil when none waits.
    var waitsFor: String? { get }
}

extension RecordReader {
    public var waitsFor: String? { nil }
}

/// What a reader has to say.
public enum SourceEvent {
    /// Consecutive records of one partition, in log order.
    case records(TopicPartition, UnsafeBufferPointer<SourceRecord>)
    /// The reader stands at the end of the partition's log; `next` is the offset that the next record can have at least.
    case end(TopicPartition, next: Int64)
}

/// A record as a source hands it over; its bytes are borrowed.
public struct SourceRecord: BitwiseCopyable {
    public let offset: Int64
    /// Milliseconds since 1970 UTC that the log gives the record; nil where it gives none (directory input).
    public let timestamp: EventTime?
    /// The null view for a record without a key.
    public let key: ByteView
    /// The null view for a null value.
    public let value: ByteView
    public let headers: RecordHeaders

    public init(offset: Int64, timestamp: EventTime?, key: ByteView, value: ByteView, headers: RecordHeaders = .none) {
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }

    /// Of key and value, as they are in memory: what a compressed batch becomes says nothing of what it was.
    package var byteCount: Int { key.count + value.count }
}

/// One partition and where to go on reading it.
public struct SourceAssignment: Sendable {
    public let partition: TopicPartition
    /// nil where there is no state yet: the source's own start rule applies.
    public let position: SourcePosition?

    public init(partition: TopicPartition, position: SourcePosition?) {
        self.partition = partition
        self.position = position
    }
}

/// How far a partition was read: stored with the state, in the same transaction.
public struct SourcePosition: Hashable, Sendable {
    /// The offset to read next.
    public var next: Int64
    /// The last record read, to recognise the log again; nil when none was read yet.
    public var last: RecordFingerprint?

    public init(next: Int64, last: RecordFingerprint?) {
        self.next = next
        self.last = last
    }
}

/// What makes a record recognisable: a different one at the same offset means that the log is another.
public struct RecordFingerprint: Hashable, Sendable {
    public let offset: Int64
    /// `Int64.min` where the log gives no timestamps.
    public let timestamp: Int64
    /// CRC-32C over the key's bytes, then the value's.
    public let checksum: UInt32

    public init(offset: Int64, timestamp: Int64, checksum: UInt32) {
        self.offset = offset
        self.timestamp = timestamp
        self.checksum = checksum
    }

    package init(of record: SourceRecord) {
        offset = record.offset
        timestamp = record.timestamp?.milliseconds ?? .min
        checksum = crc32c(record.value, continuing: crc32c(record.key))
    }
}
