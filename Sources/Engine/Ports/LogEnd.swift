/// Where a partition's log ends.
public struct LogEnd: Sendable, Equatable {
    /// The offset after the last record, whoever may read it (Kafka's high watermark).
    public let end: Int64
    /// The offset up to which it can be read: less than `end` while a transaction is open there (Kafka's last stable offset).
    public let readable: Int64

    public init(end: Int64, readable: Int64) {
        self.end = end
        self.readable = readable
    }
}
