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
    public static let repartition = CheckpointReason(rawValue: "repartition")
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
