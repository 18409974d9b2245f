/// A checkpoint that a worker without a state is to go on from.
public struct RestorableCheckpoint: Sendable, Equatable {
    public let number: UInt64
    public let epoch: Epoch
    /// The lineage to begin with it; nil to go on in its own, where nothing was delivered after it.
    public let lineage: Lineage?

    public init(number: UInt64, epoch: Epoch, lineage: Lineage?) {
        self.number = number
        self.epoch = epoch
        self.lineage = lineage
    }
}
