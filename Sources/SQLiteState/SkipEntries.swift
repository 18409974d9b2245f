import Engine

/// The entries of `meta` that say which records were passed over by an operator's word. They stay for good.
struct SkipEntries {
    private static let prefix = "skip "

    let database: Database

    /// Must run inside a transaction.
    func add(_ skipped: SkippedRecords) throws {
        let name = "\(SkipEntries.prefix)\(skipped.partition.topic)/\(skipped.partition.partition)/\(skipped.first)"
        try MetaTable(database).set(name, "\(skipped.last) \(skipped.at.milliseconds) \(skipped.reason)")
    }

    /// In the order of topics, partitions and offsets.
    func all() throws -> [SkippedRecords] {
        let found = try MetaTable(database).entries(SkipEntries.prefix).map { name, value in
            guard let skipped = SkipEntries.read(name, value) else {
                throw StateError(
                    .corrupt,
                    "the state file \(database.path) has the entry '\(SkipEntries.prefix)\(name)' that names no records; \(StateError.wayOut)"
                )
            }
            return skipped
        }
        return found.sorted { ($0.partition, $0.first) < ($1.partition, $1.first) }
    }

    /// Topics hold no slash; the reason may hold anything.
    private static func read(_ name: String, _ value: String) -> SkippedRecords? {
        let place = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { String($0) }
        let words = value.utf8.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false).map { String($0) }
        guard place.count == 3, words.count == 3, let topic = place[0], let partition = place[1].flatMap({ Int($0) }),
            let first = place[2].flatMap({ Int64($0) }),
            let last = words[0].flatMap({ Int64($0) }), let at = words[1].flatMap({ Int64($0) }), let reason = words[2],
            StoredBounds.partition.contains(Int64(partition)), StoredBounds.counter.contains(first), StoredBounds.counter.contains(last),
            first <= last,
            StoredBounds.clock.contains(at)
        else { return nil }
        return SkippedRecords(
            TopicPartition(topic: topic, partition: partition), first...last, at: EventTime(milliseconds: at), reason: reason)
    }
}
