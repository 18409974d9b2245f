/// A checkpoint whose file is written on this machine.
package struct FinishedCheckpoint: Sendable {
    package enum Content: Sendable, Equatable {
        /// The whole state.
        case base
        /// What changed since the checkpoint of this epoch.
        case delta(after: Epoch)
        /// Nothing: the state is as the last checkpoint has it, and there is no file.
        case nothing
    }

    /// Why a checkpoint was made.
    package enum Reason: String, Sendable {
        case interval
        /// The worker stopped reading, and all was delivered that could be.
        case drain
        /// The first of a state that no checkpoint holds.
        case start
        /// The first of a state that was restored.
        case takeover
    }

    package let content: Content
    package let file: String
    package let facts: CheckpointFacts
    package let reason: Reason

    package init(content: Content, file: String, facts: CheckpointFacts, reason: Reason) {
        self.content = content
        self.file = file
        self.facts = facts
        self.reason = reason
    }
}

/// A checkpoint that is in the archive.
package struct PublishedCheckpoint: Sendable, Equatable {
    package let number: UInt64
    package let epoch: Epoch
    /// Of its last file, and of all files that it consists of.
    package let addedBytes: Int
    package let totalBytes: Int

    package init(number: UInt64, epoch: Epoch, addedBytes: Int, totalBytes: Int) {
        self.number = number
        self.epoch = epoch
        self.addedBytes = addedBytes
        self.totalBytes = totalBytes
    }
}
