import Engine

extension Manifest: Codable {
    private enum Key: String, CodingKey {
        case format, minimumReader, number, job, jobVersion, stateFormat, identity, hashKey, lineage, writer, epoch, createdAt, reason,
            parent
        case objects, partitions, tasks, tables
    }

    /// Reads a manifest's fields. The hash of its bytes, which a decoder doesn't know, comes with `userInfo`.
    package init(from decoder: any Decoder) throws {
        guard let hash = decoder.userInfo[.manifestHash] as? SHA256Digest else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: [], debugDescription: "manifests are read by CheckpointStore, which knows their hash"))
        }
        let fields = try decoder.container(keyedBy: Key.self)
        number = try fields.decode(ManifestNumber.self, forKey: .number)
        minimumReader = Int(try fields.number(.minimumReader, StoredBounds.version))
        writer = try fields.decode(String.self, forKey: .writer)
        createdAt = try fields.number(.createdAt, StoredBounds.clock)
        reason = CheckpointReason(rawValue: try fields.decode(String.self, forKey: .reason))
        parent = try fields.decode(ManifestLink?.self, forKey: .parent)
        objects = try fields.decode([ManifestObject].self, forKey: .objects)
        let partitions = try fields.decode([String: Int].self, forKey: .partitions)
        for (name, count) in partitions where !StoredBounds.partition.contains(Int64(count)) {
            throw DecodingError.dataCorruptedError(forKey: .partitions, in: fields, debugDescription: "\(name) has \(count) partitions")
        }
        facts = CheckpointFacts(
            job: try fields.decode(String.self, forKey: .job), jobVersion: Int(try fields.number(.jobVersion, StoredBounds.version)),
            stateFormat: Int(try fields.number(.stateFormat, StoredBounds.version)),
            identity: try fields.decode(String.self, forKey: .identity),
            hashKey: try fields.decodeIfPresent(String.self, forKey: .hashKey).map { hex in
                guard let key = HashKey(hex: hex) else {
                    throw DecodingError.dataCorruptedError(forKey: .hashKey, in: fields, debugDescription: "it is no key")
                }
                return key
            }, lineage: Lineage(UInt32(try fields.number(.lineage, StoredBounds.lineage))),
            epoch: Epoch(UInt64(try fields.number(.epoch, StoredBounds.counter))), partitions: partitions,
            tasks: try fields.decode([CheckpointFacts.TaskProgress].self, forKey: .tasks),
            tables: try fields.decode([CheckpointFacts.TableProgress].self, forKey: .tables))
        sha256 = hash
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(Manifest.format, forKey: .format)
        try fields.encode(minimumReader, forKey: .minimumReader)
        try fields.encode(number, forKey: .number)
        try fields.encode(facts.job, forKey: .job)
        try fields.encode(facts.jobVersion, forKey: .jobVersion)
        try fields.encode(facts.stateFormat, forKey: .stateFormat)
        try fields.encode(facts.identity, forKey: .identity)
        try fields.encodeIfPresent(facts.hashKey?.hex, forKey: .hashKey)
        try fields.encode(facts.lineage.number, forKey: .lineage)
        try fields.encode(writer, forKey: .writer)
        try fields.encode(facts.epoch.number, forKey: .epoch)
        try fields.encode(createdAt, forKey: .createdAt)
        try fields.encode(reason.rawValue, forKey: .reason)
        try fields.encode(parent, forKey: .parent)
        try fields.encode(objects, forKey: .objects)
        try fields.encode(facts.partitions, forKey: .partitions)
        try fields.encode(facts.tasks, forKey: .tasks)
        try fields.encode(facts.tables, forKey: .tables)
    }
}

extension CodingUserInfoKey {
    static let manifestHash = CodingUserInfoKey(rawValue: "manifestHash")!
}
