import Engine

/// The entry of `meta` that holds the job's key for stored hashes. Files of earlier builds lack it until a run opens them.
struct HashKeyEntry {
    static let name = "hash_key"

    let database: Database

    /// nil where there is none. What stands there instead of a key is not said: it may be one that somebody cut.
    func read(schema: String = "main") throws -> HashKey? {
        guard let value = try MetaTable(database, schema: schema).value(HashKeyEntry.name) else { return nil }
        guard let key = HashKey(hex: value) else {
            throw StateError(
                .corrupt, "the state file \(database.path) is damaged: its entry '\(HashKeyEntry.name)' is no key; \(StateError.wayOut)")
        }
        return key
    }

    /// The key, made now where there is none: what was hashed before then had none, and says so. Throws as `requireForIDs`.
    /// Must run inside a transaction.
    func make() throws {
        try requireForIDs()
        guard try read() == nil else { return }
        try set(HashKey(first: .random(in: .min ... .max), second: .random(in: .min ... .max)))
    }

    /// Throws kind `corrupt` where there is no key and ids are remembered under one: with another, each of them would be new.
    func requireForIDs() throws {
        guard try read() == nil, let table = try KeyedIDs(database: database).table() else { return }
        throw StateError(
            .corrupt,
            "the state file \(database.path) is damaged: it lacks its entry '\(HashKeyEntry.name)', and \(table) holds ids that are remembered under it, all of which would be forgotten; \(StateError.wayOut)"
        )
    }

    /// Makes sure that the key is what the manifest of the file's checkpoint says, nil where it says none.
    func adopt(_ key: HashKey?) throws {
        guard let key else {
            // Of an earlier build, whose files may yet have been a later one's: it does no harm unless something goes by it.
            guard let table = try KeyedIDs(database: database).table() else { return }
            throw StateError(.corrupt, "the checkpoint's manifest says no hashKey, and \(table) holds ids that are remembered under one")
        }
        guard let known = try read() else { return try set(key) }
        guard known == key else {
            throw StateError(.corrupt, "the state file has another '\(HashKeyEntry.name)' than its checkpoint's manifest")
        }
    }

    private func set(_ key: HashKey) throws { try MetaTable(database).set(HashKeyEntry.name, key.hex) }
}
