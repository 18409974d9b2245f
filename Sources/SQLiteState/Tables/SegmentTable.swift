import Engine

/// The table `segment` of a delta, which says what the delta continues and with which epoch it ends.
struct SegmentTable {
    static let create = "CREATE TABLE segment (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"

    let database: Database

    /// Of a delta that continues the state with these facts from an epoch on.
    static func entries(of facts: CheckpointFacts) -> [(name: String, value: String)] {
        [
            ("job", facts.job), ("identity", facts.identity), ("lineage", String(facts.lineage.number)),
            ("format", String(facts.stateFormat)),
        ]
    }

    func write(_ facts: CheckpointFacts, after epoch: Epoch) throws {
        for (name, value) in [("from_epoch", String(epoch.number)), ("to_epoch", String(facts.epoch.number))]
            + SegmentTable.entries(of: facts)
        {
            try database.run("INSERT INTO \(DeltaFormat.schema).segment (name, value) VALUES (?, ?)", .text(name), .text(value))
        }
    }

    /// `delta`: the file, for messages.
    func entry(_ name: String, of delta: String) throws -> String {
        guard
            let value = try database.first(
                "SELECT value FROM \(DeltaFormat.schema).segment WHERE name = ?", .text(name), read: { $0.text(0) })
        else {
            throw StateError(.corrupt, "the delta \(delta) lacks its entry '\(name)'")
        }
        return value
    }

    func epoch(_ name: String, of delta: String) throws -> Epoch {
        guard let value = UInt64(try entry(name, of: delta)).flatMap({ Epoch(stored: $0) }) else {
            throw StateError(.corrupt, "the delta \(delta) has an entry '\(name)' that is no epoch")
        }
        return value
    }
}
