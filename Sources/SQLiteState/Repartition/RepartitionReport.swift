import Engine

/// What bringing a state to a grown topic has done.
public struct RepartitionReport: Sendable {
    public struct Table: Sendable {
        /// `stage.table`.
        public let name: String
        public let version: Int
        public let placement: StatePlacement
        /// Before.
        public let keys: Int
        /// Records that were moved, or copies that were made.
        public let changed: Int
    }

    public struct Partition: Sendable {
        public let task: TaskID
        /// Of all its state tables.
        public let keysBefore: Int
        public let keysAfter: Int
        /// Where its watermark is before anything is read; nil before the first record.
        public let watermark: EventTime?
    }

    public let topic: String
    /// How many partitions it had, and has.
    public let before: Int
    public let after: Int
    public let tables: [Table]
    public let partitions: [Partition]
}
