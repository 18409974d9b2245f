import Engine

/// The layouts of messages between stages that the state file knows, and how this version of the job reads each.
struct MessageLayouts {
    static let name = "message_layout"
    static let create = """
        -- fields: a JSON array of {"name", "type"}, NULL when only the job knows; forwarded: whether what the engine says of a
        -- forwarded event leads each payload.
        CREATE TABLE message_layout (
            id INTEGER PRIMARY KEY, stage TEXT NOT NULL, version INTEGER NOT NULL, job_version INTEGER NOT NULL,
            forwarded INTEGER NOT NULL, fields TEXT
        );
        """

    private(set) var stored: [(id: Int64, layout: StoredMessageLayout)] = []
    private var declared: [StageName: (id: Int64, layout: MessageLayout)] = [:]

    /// None of a file of an earlier format, which does not say them.
    init(_ database: Database) throws {
        guard try StateFormat.hasLayouts(database) else { return }
        stored = try database.rows("SELECT id, stage, version, job_version, forwarded, fields FROM message_layout ORDER BY id") { row in
            let fields = row.isNull(5) ? nil : SchemaText.fields(fromJSON: row.text(5))
            guard row.isNull(5) || fields != nil else {
                throw StateError(
                    .incompatible,
                    "messages to stage \(row.text(1)) in \(database.path) have fields of types that this version does not know; use the version that wrote it, or a newer one"
                )
            }
            let layout = StoredMessageLayout(
                stage: StageName(row.text(1)), version: try row.version(2), jobVersion: try row.version(3),
                isForwarded: row.integer(4) != 0, fields: fields
            )
            return (try row.rowNumber(0), layout)
        }
    }

    /// The number of the layout in which the stage is sent messages; nil when nobody sends it any.
    func id(of stage: StageName) -> Int64? { declared[stage]?.id }

    /// Makes sure that the file has the layouts of this version. Must run inside a transaction.
    mutating func declare(_ layouts: [StageName: MessageLayout], version: Int, in database: Database) throws {
        for (stage, layout) in layouts.sorted(by: { $0.key < $1.key }) {
            let wanted = layout.stored(of: stage, since: version)
            let known = stored.first { $0.layout.isAlike(wanted) }
            declared[stage] = (try known?.id ?? add(wanted, database), layout)
        }
    }

    private mutating func add(_ layout: StoredMessageLayout, _ database: Database) throws -> Int64 {
        try database.run(
            "INSERT INTO message_layout (stage, version, job_version, forwarded, fields) VALUES (?, ?, ?, ?, ?)", .text(layout.stage.text),
            .integer(Int64(layout.version)), .integer(Int64(layout.jobVersion)), .integer(layout.isForwarded ? 1 : 0),
            layout.fields.map { .text(SchemaText.json($0)) } ?? .null
        )
        let id = database.lastRowID
        stored.append((id, layout))
        return id
    }

    /// A stored batch as this version of the job reads it. Throws kind `incompatible` when it can't, `corrupt` for damage.
    func read(_ batch: MessageBatch, laidOut id: Int64, in database: Database) throws -> MessageBatch {
        do {
            return try reading(id, in: database).apply(to: batch)
        } catch MessageReadingFailure.doesNotFit {
            throw try refusal("a number in them does not fit into its field", stage: batch.id.to.stage, database)
        } catch MessageReadingFailure.damaged {
            throw StateError(
                .corrupt,
                "the state file \(database.path) is damaged: the batch from task \(batch.id.from) to \(batch.id.to) of epoch \(batch.id.epoch) is not what its layout says; \(StateError.wayOut)"
            )
        }
    }

    private func refusal(_ why: String, stage: StageName, _ database: Database) throws -> StateError {
        let writer = try MetaTable(database).value("job_version") ?? "?"
        return StateError(
            .incompatible,
            "messages of another version of the job wait for stage \(stage) in \(database.path), which this version can't read: \(why). Start version \(writer), which wrote the state last, and stop it with SIGTERM once it is ready, so that it drains (exit code 0); then this one"
        )
    }

    /// How the messages of a stored layout are read. Throws kind `incompatible` when they can't be, `corrupt` for an unknown number.
    func reading(_ id: Int64, in database: Database) throws -> MessageReading {
        guard let found = stored.first(where: { $0.id == id })?.layout else {
            throw StateError(
                .corrupt, "the state file \(database.path) is damaged: a batch between tasks has an unknown layout; \(StateError.wayOut)")
        }
        guard let own = declared[found.stage]?.layout else {
            throw try refusal("nobody sends to that stage any more", stage: found.stage, database)
        }
        do {
            return try own.reading(found)
        } catch {
            throw try refusal(error.description, stage: found.stage, database)
        }
    }
}

extension StoredMessageLayout {
    /// The same but for the version of the job that declared it first.
    fileprivate func isAlike(_ other: StoredMessageLayout) -> Bool {
        (stage, version, isForwarded) == (other.stage, other.version, other.isForwarded) && fields == other.fields
    }
}
