import Engine

/// The table `state_table`: the schemas of state tables. One may be stored in two versions: as the job that wrote last reads it, and
/// until `tidemark finalize` as the version before does.
struct StateTableRows {
    static let name = "state_table"
    static let create = """
        -- fields: a JSON array of {"name", "type"}; window_span: in milliseconds, NULL without windows, and for a table of
        -- format 1 that no later version has opened; role: 'current', 'fallback' (an earlier version's copy) or 'removed';
        -- job_version: of the job that made it; carried: of a fallback, a JSON array of the fields that its writer does not
        -- know: what its deltas hold there counts for new keys alone; removed_in: the job's version without it.
        CREATE TABLE state_table (
            id INTEGER PRIMARY KEY, stage TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
            key_kind TEXT NOT NULL, has_timer INTEGER NOT NULL, window_span INTEGER, fields TEXT NOT NULL,
            role TEXT NOT NULL, job_version INTEGER NOT NULL, carried TEXT, removed_in INTEGER, UNIQUE (stage, name, version)
        );
        """
    static let createFormat1 = """
        CREATE TABLE state_table (
            id INTEGER PRIMARY KEY, stage TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
            key_kind TEXT NOT NULL, has_timer INTEGER NOT NULL, fields TEXT NOT NULL, UNIQUE (stage, name)
        );
        """
    static let upgradeOfFormat1 = """
        ALTER TABLE state_table RENAME TO state_table_1;
        \(create)
        INSERT INTO state_table (id, stage, name, version, key_kind, has_timer, fields, role, job_version)
            SELECT id, stage, name, version, key_kind, has_timer, fields, 'current', \(MetaTable.jobVersion) FROM state_table_1;
        DROP TABLE state_table_1;
        """

    let database: Database

    func all() throws -> [CatalogTable] {
        // A file of format 1 is only looked at like this, not gone on from: opening it for a job brings it to the newest.
        let added =
            try StateFormat.version(of: database) == 1
            ? "NULL, 'current', \(MetaTable.jobVersion), NULL, NULL" : "window_span, role, job_version, carried, removed_in"
        return try database.rows("SELECT id, stage, name, version, key_kind, has_timer, fields, \(added) FROM state_table ORDER BY id") {
            row in
            guard let kind = StateKeyKind(rawValue: row.text(4)), let fields = SchemaText.fields(fromJSON: row.text(6)),
                let role = StoredStateTable.Role(rawValue: row.text(8)),
                let carried = row.isNull(10) ? [] : SchemaText.names(fromJSON: row.text(10))
            else {
                throw StateError(
                    .incompatible,
                    "state table \(row.text(2)) in \(database.path) has a key, fields or a role that this version does not know; use the version that wrote it, or a newer one"
                )
            }
            let schema = StateSchema(
                table: row.text(2), version: try row.version(3), key: kind, hasTimer: row.integer(5) != 0,
                span: row.isNull(7) ? nil : EventSpan(milliseconds: try row.number(7, 0...StoredBounds.clock.upperBound)), fields: fields
            )
            let stored = StoredStateTable(
                stage: StageName(row.text(1)), schema: schema, role: role, since: row.isNull(9) ? 0 : try row.version(9),
                removedIn: row.isNull(11) ? nil : try row.version(11)
            )
            return CatalogTable(id: try row.rowNumber(0), stored: stored, carried: carried)
        }
    }

    /// What of a fallback's records comes from the records before them; nil for every other table.
    func carriedFields(of table: Int64) throws -> CarriedFields? {
        let isFallback = try database.first(
            "SELECT 1 FROM state_table WHERE id = ? AND carried IS NOT NULL AND carried <> '[]'", .integer(table)
        ) { _ in true }
        guard isFallback == true, let found = try all().first(where: { $0.id == table }) else { return nil }
        return CarriedFields(found.carried, of: found.schema)
    }

    /// Adds a current table; returns its number.
    func add(_ schema: StateSchema, to stage: StageName, jobVersion: Int) throws -> Int64 {
        try database.run(
            """
            INSERT INTO state_table (stage, name, version, key_kind, has_timer, window_span, fields, role, job_version)
            VALUES (?, ?, ?, ?, ?, ?, ?, 'current', ?)
            """,
            .text(stage.text), .text(schema.table), .integer(Int64(schema.version)), .text(schema.key.rawValue),
            .integer(schema.hasTimer ? 1 : 0),
            schema.span.map { .integer($0.milliseconds) } ?? .null, .text(SchemaText.json(schema.fields)), .integer(Int64(jobVersion))
        )
        return database.lastRowID
    }

    func note(_ span: EventSpan, of table: Int64) throws {
        try database.run("UPDATE state_table SET window_span = ? WHERE id = ?", .integer(span.milliseconds), .integer(table))
    }

    func makeCurrent(_ table: Int64) throws {
        try database.run("UPDATE state_table SET role = 'current', carried = NULL, removed_in = NULL WHERE id = ?", .integer(table))
    }

    func makeFallback(_ table: Int64, carrying fields: [String]) throws {
        try database.run(
            "UPDATE state_table SET role = 'fallback', carried = ? WHERE id = ?", .text(SchemaText.json(fields)), .integer(table))
    }

    func makeRemoved(_ table: Int64, in jobVersion: Int) throws {
        try database.run(
            "UPDATE state_table SET role = 'removed', removed_in = ? WHERE id = ?", .integer(Int64(jobVersion)), .integer(table))
    }

    func remove(_ table: Int64) throws { try database.run("DELETE FROM state_table WHERE id = ?", .integer(table)) }
}
