import Engine

/// A file of state that a manifest is made of.
public struct ManifestObject: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// A whole state file.
        case base
        /// What changed after an epoch; it is applied to a state of exactly that epoch.
        case delta(after: Epoch)
    }

    public let kind: Kind
    /// Below the job: `snapshots/<sha256>.db` or `deltas/<sha256>.db`.
    public let key: String
    public let digest: ObjectDigest
    /// The epoch of the state with this object applied.
    public let epoch: Epoch

    public init(kind: Kind, key: String, digest: ObjectDigest, epoch: Epoch) {
        self.kind = kind
        self.key = key
        self.digest = digest
        self.epoch = epoch
    }
}

/// How far a task had come.
public struct TaskPosition: Hashable, Sendable {
    public let task: TaskID
    /// Event time in milliseconds since 1970 UTC; nil before the first record.
    public let watermark: Int64?
    /// The next offset to read; nil for a task that reads no topic.
    public let nextOffset: Int64?

    public init(task: TaskID, watermark: Int64?, nextOffset: Int64?) {
        self.task = task
        self.watermark = watermark
        self.nextOffset = nextOffset
    }
}

/// How far an output table's batches had come, within the manifest's lineage; nil before the first.
public struct TablePosition: Hashable, Sendable {
    public let name: String
    public let lastFrozen: BatchNumber?
    public let lastDelivered: BatchNumber?

    public init(name: String, lastFrozen: BatchNumber?, lastDelivered: BatchNumber?) {
        self.name = name
        self.lastFrozen = lastFrozen
        self.lastDelivered = lastDelivered
    }
}

/// Why a checkpoint was written. Readers meet words that they don't know.
public struct CheckpointReason: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static let interval = CheckpointReason(rawValue: "interval")
    public static let drain = CheckpointReason(rawValue: "drain")
    public static let start = CheckpointReason(rawValue: "start")
    public static let takeover = CheckpointReason(rawValue: "takeover")
    public static let finalize = CheckpointReason(rawValue: "finalize")
    public static let rewind = CheckpointReason(rawValue: "rewind")
    public static let copy = CheckpointReason(rawValue: "copy")

    public var description: String { rawValue }
}

/// A manifest's number and the hash of its bytes.
public struct ManifestLink: Hashable, Sendable, Codable {
    public let number: ManifestNumber
    public let sha256: SHA256Digest

    public init(number: ManifestNumber, sha256: SHA256Digest) {
        self.number = number
        self.sha256 = sha256
    }
}
