import Engine

extension KeyedDecodingContainer {
    /// A number that is outside of the bounds is damage.
    func number(_ key: Key, _ bounds: ClosedRange<Int64>) throws -> Int64 {
        let number = try decode(Int64.self, forKey: key)
        guard bounds.contains(number) else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self,
                debugDescription: "\(key.stringValue) is \(number), outside of \(bounds.lowerBound) to \(bounds.upperBound)"
            )
        }
        return number
    }

    /// nil for null.
    func numberIfPresent(_ key: Key, _ bounds: ClosedRange<Int64>) throws -> Int64? {
        try decodeNil(forKey: key) ? nil : number(key, bounds)
    }
}

extension ManifestObject: Codable {
    private enum Key: String, CodingKey { case kind, key, sha256, bytes, fromEpoch, epoch }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        switch try fields.decode(String.self, forKey: .kind) {
        case "base": kind = .base
        case "delta": kind = .delta(after: Epoch(UInt64(try fields.number(.fromEpoch, StoredBounds.counter))))
        case let other: throw DecodingError.dataCorruptedError(forKey: .kind, in: fields, debugDescription: "\(other) is no kind of object")
        }
        key = try fields.decode(String.self, forKey: .key)
        digest = ObjectDigest(
            bytes: Int(try fields.number(.bytes, StoredBounds.bytes)), sha256: try fields.decode(SHA256Digest.self, forKey: .sha256)
        )
        epoch = Epoch(UInt64(try fields.number(.epoch, StoredBounds.counter)))
    }

    package func encode(to encoder: any Encoder) throws {
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

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        self.init(
            id: TaskID(
                stage: StageName(try fields.decode(String.self, forKey: .stage)),
                partition: Int(try fields.number(.partition, StoredBounds.partition))),
            watermark: try fields.decode(Int64?.self, forKey: .watermark).map(EventTime.init(milliseconds:)),
            next: try fields.numberIfPresent(.next, StoredBounds.counter)
        )
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(id.stage.text, forKey: .stage)
        try fields.encode(id.partition, forKey: .partition)
        try fields.encode(watermark?.milliseconds, forKey: .watermark)
        try fields.encode(next, forKey: .next)
    }
}

extension CheckpointFacts.TableProgress: Codable {
    private enum Key: String, CodingKey { case name, lastFrozen, lastDelivered }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        let name = try fields.decode(String.self, forKey: .name)
        guard PlainName.isOutputTable(name) else {
            throw DecodingError.dataCorruptedError(
                forKey: .name, in: fields, debugDescription: "\(quotedJSON(name)) is no name of an output table")
        }
        self.init(
            name: name,
            lastFrozen: try fields.numberIfPresent(.lastFrozen, StoredBounds.counter).map { BatchNumber(UInt64($0)) },
            lastDelivered: try fields.numberIfPresent(.lastDelivered, StoredBounds.counter).map { BatchNumber(UInt64($0)) }
        )
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(name, forKey: .name)
        try fields.encode(lastFrozen?.number, forKey: .lastFrozen)
        try fields.encode(lastDelivered?.number, forKey: .lastDelivered)
    }
}
