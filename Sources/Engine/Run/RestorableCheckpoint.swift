/// A checkpoint that a worker without a state is to go on from.
package struct RestorableCheckpoint: Sendable, Equatable {
    package let number: UInt64
    package let epoch: Epoch
    /// The lineage to begin with it; nil to go on in its own, where nothing was delivered after it.
    package let lineage: Lineage?

    package init(number: UInt64, epoch: Epoch, lineage: Lineage?) {
        self.number = number
        self.epoch = epoch
        self.lineage = lineage
    }
}
