import Engine

/// The entries of `meta` that say which topics were read to the ends of the partitions of before they grew, so that their
/// keys' state may go to the new ones. Every epoch says it anew.
struct ReadBeforeEntries {
    static let prefix = "read before "

    let database: Database

    /// How many partitions the topic had when that was read; nil when it was not.
    func partitions(of topic: String) throws -> Int? {
        try MetaTable(database).number(ReadBeforeEntries.prefix + topic, StoredBounds.partition).map { Int($0) }
    }

    func remove(_ topic: String) throws { try MetaTable(database).remove(ReadBeforeEntries.prefix + topic) }
}
