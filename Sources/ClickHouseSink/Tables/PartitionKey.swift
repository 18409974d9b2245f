import Engine

/// A table's partition key, as far as batches can be cut by it.
enum PartitionKey {
    /// The partitioning that `key` means for rows whose time is in `timeColumn`; nil when it is none of the served ones.
    static func partitioning(_ key: String, timeColumn: String) -> RowPartitioning? {
        let plain = key.filter { $0 != " " && $0 != "`" }
        switch plain {
        case "", "tuple()": return RowPartitioning.none
        case "toYYYYMM(\(timeColumn))": return .month
        case "toYYYYMMDD(\(timeColumn))", "toDate(\(timeColumn))": return .day
        case "toMonday(\(timeColumn))": return .week
        default: return nil
        }
    }

    /// Names under which servers know UTC.
    static func isUTC(_ zone: String) -> Bool {
        ["UTC", "Etc/UTC", "UCT", "Etc/UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal", "GMT", "Etc/GMT", "GMT0", "Etc/Greenwich"]
            .contains(zone)
    }
}
