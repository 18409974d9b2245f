import Engine

/// What bringing a state to a grown topic has done.
package struct RepartitionReport: Sendable {
    package struct Table: Sendable {
        /// `stage.table`.
        package let name: String
        package let version: Int
        package let placement: StatePlacement
        /// Before.
        package let keys: Int
        /// Records that were moved, or copies that were made.
        package let changed: Int
    }

    package struct Partition: Sendable {
        package let task: TaskID
        /// Of all its state tables.
        package let keysBefore: Int
        package let keysAfter: Int
        /// Where its watermark is before anything is read; nil before the first record.
        package let watermark: EventTime?
    }

    package let topic: String
    /// How many partitions it had, and has.
    package let before: Int
    package let after: Int
    package let tables: [Table]
    package let partitions: [Partition]
}
