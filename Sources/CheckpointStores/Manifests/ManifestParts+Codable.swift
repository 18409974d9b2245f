import Engine

extension ManifestObject: Codable {
    private enum Key: String, CodingKey { case kind, key, sha256, bytes, fromEpoch, epoch }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        switch try fields.decode(String.self, forKey: .kind) {
        case "base": kind = .base
        case "delta": kind = .delta(after: Epoch(try fields.decode(UInt64.self, forKey: .fromEpoch)))
        case let other: throw DecodingError.dataCorruptedError(forKey: .kind, in: fields, debugDescription: "\(other) is no kind of object")
        }
        key = try fields.decode(String.self, forKey: .key)
        digest = ObjectDigest(
            bytes: try fields.decode(Int.self, forKey: .bytes), sha256: try fields.decode(SHA256Digest.self, forKey: .sha256)
        )
        epoch = Epoch(try fields.decode(UInt64.self, forKey: .epoch))
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        switch kind {
        case .base: try fields.encode("base", forKey: .kind)
        case .delta(let after):
            try fields.encode("delta", forKey: .kind)
            try fields.encode(after.number, forKey: .fromEpoch)
        }
        try fields.encode(key, forKey: .key)
        try fields.encode(digest.sha256, forKey: .sha256)
        try fields.encode(digest.bytes, forKey: .bytes)
        try fields.encode(epoch.number, forKey: .epoch)
    }
}

extension CheckpointFacts.TaskProgress: Codable {
    private enum Key: String, CodingKey { case stage, partition, watermark, next }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        self.init(
            id: TaskID(stage: StageName(try fields.decode(String.self, forKey: .stage)), partition: try fields.decode(Int.self, forKey: .partition)),
            watermark: try fields.decode(Int64?.self, forKey: .watermark).map(EventTime.init(milliseconds:)),
            next: try fields.decode(Int64?.self, forKey: .next)
        )
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(id.stage.text, forKey: .stage)
        try fields.encode(id.partition, forKey: .partition)
        try fields.encode(watermark?.milliseconds, forKey: .watermark)
        try fields.encode(next, forKey: .next)
    }
}

extension CheckpointFacts.TableProgress: Codable {
    private enum Key: String, CodingKey { case name, lastFrozen, lastDelivered }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        let name = try fields.decode(String.self, forKey: .name)
        guard PlainName.isOutputTable(name) else {
            throw DecodingError.dataCorruptedError(forKey: .name, in: fields, debugDescription: "\(quotedJSON(name)) is no name of an output table")
        }
        self.init(
            name: name,
            lastFrozen: try fields.decode(UInt64?.self, forKey: .lastFrozen).map(BatchNumber.init),
            lastDelivered: try fields.decode(UInt64?.self, forKey: .lastDelivered).map(BatchNumber.init)
        )
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(name, forKey: .name)
        try fields.encode(lastFrozen?.number, forKey: .lastFrozen)
        try fields.encode(lastDelivered?.number, forKey: .lastDelivered)
    }
}
