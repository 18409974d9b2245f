/// What numbers may be that are read from stored bytes: what lies outside is damage, or was made to be harmful. All leave room
/// to count on and to add up, so that whoever goes on with such a number needs no care.
package enum StoredBounds {
    /// Epochs, batches, offsets and the numbers of rows.
    package static let counter: ClosedRange<Int64> = 0...1 << 62
    package static let lineage: ClosedRange<Int64> = 1...(1 << 31) - 1
    /// Rows of a chunk or a batch, messages of a batch.
    package static let count: ClosedRange<Int64> = 0...1 << 40
    /// The bytes of an object of a checkpoint.
    package static let bytes: ClosedRange<Int64> = 0...1 << 50
    /// A topic's or a stage's partitions, and how many there are.
    package static let partition: ClosedRange<Int64> = 0...1 << 20
    /// Versions of jobs, tables and formats.
    package static let version: ClosedRange<Int64> = 0...(1 << 31) - 1
    /// What a worker's clock said, in milliseconds since 1970 UTC.
    package static let clock: ClosedRange<Int64> = -(1 << 53)...1 << 53
}

extension Epoch {
    /// nil outside of `StoredBounds.counter`.
    package init?(stored number: some BinaryInteger) {
        guard let known = Int64(exactly: number), StoredBounds.counter.contains(known) else { return nil }
        self.init(UInt64(known))
    }
}

extension BatchNumber {
    /// nil outside of `StoredBounds.counter`.
    package init?(stored number: some BinaryInteger) {
        guard let known = Int64(exactly: number), StoredBounds.counter.contains(known) else { return nil }
        self.init(UInt64(known))
    }
}

extension Lineage {
    /// nil outside of `StoredBounds.lineage`.
    package init?(stored number: some BinaryInteger) {
        guard let known = Int64(exactly: number), StoredBounds.lineage.contains(known) else { return nil }
        self.init(UInt32(known))
    }
}
