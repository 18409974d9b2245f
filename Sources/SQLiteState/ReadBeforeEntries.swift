import Engine

/// The entries of `meta` that say which topics were read to the ends of the partitions of before they grew, so that their
/// keys' state may go to the new ones. Every epoch says it anew.
struct ReadBeforeEntries {
    static let prefix = "read before "
    /// The least text behind all that begin with the prefix.
    static let end = "read before!"

    let database: Database

    /// How many partitions the topic had when that was read; nil when it was not.
    func partitions(of topic: String) throws -> Int? {
        let name = ReadBeforeEntries.prefix + topic
        return try database.metaNumber(name, StoredBounds.partition).map { Int($0) }
    }

    func remove(_ topic: String) throws { try database.removeMeta(ReadBeforeEntries.prefix + topic) }
}
