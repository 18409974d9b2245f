import Engine

/// A file of state that a manifest is made of.
package struct ManifestObject: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A whole state file.
        case base
        /// What changed after an epoch; it is applied to a state of exactly that epoch.
        case delta(after: Epoch)
    }

    package let kind: Kind
    /// Below the job: `snapshots/<sha256>.db` or `deltas/<sha256>.db`.
    package let key: String
    package let digest: ObjectDigest
    /// The epoch of the state with this object applied.
    package let epoch: Epoch

    package init(kind: Kind, key: String, digest: ObjectDigest, epoch: Epoch) {
        self.kind = kind
        self.key = key
        self.digest = digest
        self.epoch = epoch
    }
}

/// Why a checkpoint was written. Readers meet words that they don't know.
package struct CheckpointReason: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    package static let interval = CheckpointReason(rawValue: "interval")
    package static let drain = CheckpointReason(rawValue: "drain")
    package static let start = CheckpointReason(rawValue: "start")
    package static let takeover = CheckpointReason(rawValue: "takeover")
    package static let finalize = CheckpointReason(rawValue: "finalize")
    package static let rewind = CheckpointReason(rawValue: "rewind")
    package static let copy = CheckpointReason(rawValue: "copy")

    package var description: String { rawValue }
}

/// A manifest's number and the hash of its bytes.
package struct ManifestLink: Hashable, Sendable, Codable {
    package let number: ManifestNumber
    package let sha256: SHA256Digest

    package init(number: ManifestNumber, sha256: SHA256Digest) {
        self.number = number
        self.sha256 = sha256
    }
}
