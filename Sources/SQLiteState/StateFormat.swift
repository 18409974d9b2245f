/// The state file's tables. Every stored row leads with its task, so that a task can move.
enum StateFormat {
    /// The format's version, in `PRAGMA user_version`.
    static let version: Int64 = 3

    /// Schemas of the state tables. One may be stored in two versions: as the job that wrote last reads it, and until
    /// `tidemark finalize` as the version before does.
    private static let stateTable = """
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

    /// Makes a file of format 1 one of format 2.
    static let upgradeOfFormat1 = """
        ALTER TABLE state_table RENAME TO state_table_1;
        \(stateTable)
        INSERT INTO state_table (id, stage, name, version, key_kind, has_timer, fields, role, job_version)
            SELECT id, stage, name, version, key_kind, has_timer, fields, 'current',
                (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'job_version') FROM state_table_1;
        DROP TABLE state_table_1;
        INSERT INTO meta (name, value) SELECT 'min_reader', value FROM meta WHERE name = 'job_version';
        ALTER TABLE task ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
        """ + "\n" + addedByFormat2

    /// Makes a file of format 2 one of format 3. What waits gets the layout 0, which is none: whoever opens the file finds out
    /// which it is, in the same transaction.
    static let upgradeOfFormat2 = """
        ALTER TABLE message RENAME TO message_2;
        ALTER TABLE outbox RENAME TO outbox_2;
        \(waitingTables)
        INSERT INTO message (sequence, sender, receiver, epoch, count, layout, bytes)
            SELECT sequence, sender, receiver, epoch, count, 0, bytes FROM message_2;
        INSERT INTO outbox (sequence, task, output_table, epoch, chunk, partition, rows, layout, bytes)
            SELECT sequence, task, output_table, epoch, chunk, partition, rows, 0, bytes FROM outbox_2;
        DROP TABLE message_2;
        DROP TABLE outbox_2;
        """

    /// Whether a file says how what waits in it is laid out.
    static func hasLayouts(_ database: Database) throws -> Bool { try database.integer("PRAGMA user_version") >= 3 }

    /// Throws kind `corrupt` unless a state file's schema is that of the format that it says.
    static func requireShape(of database: Database, file: String? = nil) throws {
        try FileShape.state(format: database.integer("PRAGMA user_version"))?.require(
            of: database, file: file ?? "the state file \(database.path)")
    }

    /// The formats that are brought to this version when they are opened.
    static let upgradable: ClosedRange<Int64> = 1...2

    static let create = otherTables + "\n" + waitingTables + "\n" + stateTable + "\n" + addedByFormat2

    /// The tables of a file of an earlier format that checkpoints may still be of; nil of another one.
    static func create(format: Int64) -> String? {
        switch format {
        case version: create
        case 2: otherTables + "\n" + waitingTablesOfFormat2 + "\n" + stateTable + "\n" + addedByFormat2
        default: nil
        }
    }

    private static let waitingTablesOfFormat2 = """
        CREATE TABLE message (
            sequence INTEGER PRIMARY KEY, sender INTEGER NOT NULL, receiver INTEGER NOT NULL, epoch INTEGER NOT NULL,
            count INTEGER NOT NULL, bytes BLOB NOT NULL
        );
        CREATE TABLE outbox (
            sequence INTEGER PRIMARY KEY, task INTEGER NOT NULL, output_table INTEGER NOT NULL, epoch INTEGER NOT NULL,
            chunk INTEGER NOT NULL, partition INTEGER NOT NULL, rows INTEGER NOT NULL, bytes BLOB NOT NULL
        );
        """

    /// What waits for another task or for a sink, and how its bytes are laid out.
    private static let waitingTables = """
        -- Output tables as the job's versions declared them: what rows that wait were written for. columns: a JSON array of
        -- {"name", "type"}, order_by one of names; job_version: the first that declared it so.
        CREATE TABLE output_layout (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, job_version INTEGER NOT NULL, time_column TEXT NOT NULL, order_by TEXT NOT NULL,
            topic TEXT NOT NULL, key_column TEXT, columns TEXT NOT NULL
        );
        -- What a stage is sent, as the job's versions declared it. fields: a JSON array of {"name", "type"}, NULL when only the
        -- job knows; forwarded: whether what the engine says of a forwarded event leads each payload.
        CREATE TABLE message_layout (
            id INTEGER PRIMARY KEY, stage TEXT NOT NULL, version INTEGER NOT NULL, job_version INTEGER NOT NULL,
            forwarded INTEGER NOT NULL, fields TEXT
        );
        -- Batches between tasks that the receiver has not processed.
        CREATE TABLE message (
            sequence INTEGER PRIMARY KEY, sender INTEGER NOT NULL, receiver INTEGER NOT NULL, epoch INTEGER NOT NULL,
            count INTEGER NOT NULL, layout INTEGER NOT NULL, bytes BLOB NOT NULL
        );
        -- Rows that are not known to be delivered.
        CREATE TABLE outbox (
            sequence INTEGER PRIMARY KEY, task INTEGER NOT NULL, output_table INTEGER NOT NULL, epoch INTEGER NOT NULL,
            chunk INTEGER NOT NULL, partition INTEGER NOT NULL, rows INTEGER NOT NULL, layout INTEGER NOT NULL, bytes BLOB NOT NULL
        );
        """

    /// What compacting has reached, for a file whose rows of `delta` are kept after they were compacted, and what counts of the
    /// lineages before the present one.
    private static let addedByFormat2 = """
        -- Rows of delta up to and including this epoch are in keyed already, of a task and table that is listed here.
        CREATE TABLE fold_mark (
            task INTEGER NOT NULL, state_table INTEGER NOT NULL, through INTEGER NOT NULL, PRIMARY KEY (task, state_table)
        ) WITHOUT ROWID;
        -- The last batch that counts of each earlier lineage, 0 for none.
        CREATE TABLE lineage_end (
            output_table INTEGER NOT NULL, lineage INTEGER NOT NULL, last_batch INTEGER NOT NULL, PRIMARY KEY (output_table, lineage)
        ) WITHOUT ROWID;
        """

    /// A file of format 1, as its first versions made it.
    static let createFormat1 =
        otherTables(endedColumn: "") + "\n" + waitingTablesOfFormat2 + "\n" + """
            CREATE TABLE state_table (
                id INTEGER PRIMARY KEY, stage TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
                key_kind TEXT NOT NULL, has_timer INTEGER NOT NULL, fields TEXT NOT NULL, UNIQUE (stage, name)
            );
            """

    private static let otherTables = otherTables(endedColumn: " ended INTEGER NOT NULL DEFAULT 0,")

    /// `endedColumn`: what format 2 added to `task`.
    private static func otherTables(endedColumn: String) -> String {
        """
        CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        -- How many partitions each topic and stage has, for ever.
        CREATE TABLE partitions (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
        -- Tasks with their watermark, whether it was raised last because a run ended, and how far they have read; the last
        -- record read is kept to recognise the log.
        CREATE TABLE task (
            id INTEGER PRIMARY KEY, stage TEXT NOT NULL, partition INTEGER NOT NULL, watermark INTEGER,
            next_offset INTEGER, last_offset INTEGER, last_timestamp INTEGER, last_checksum INTEGER,
           \(endedColumn) UNIQUE (stage, partition)
        );
        -- Folded state: one row a key.
        CREATE TABLE keyed (
            task INTEGER NOT NULL, state_table INTEGER NOT NULL, key BLOB NOT NULL, record BLOB NOT NULL,
            PRIMARY KEY (task, state_table, key)
        ) WITHOUT ROWID;
        -- Changes in order of epochs, one blob a task and table: those not folded yet, and folded ones that the next checkpoint takes.
        CREATE TABLE delta (
            sequence INTEGER PRIMARY KEY, task INTEGER NOT NULL, state_table INTEGER NOT NULL, epoch INTEGER NOT NULL,
            bytes BLOB NOT NULL
        );
        CREATE TABLE output_table (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        -- Sink batches; origins are varints: task, epoch, chunk and rows of each chunk in order.
        CREATE TABLE batch (
            output_table INTEGER NOT NULL, lineage INTEGER NOT NULL, number INTEGER NOT NULL, partition INTEGER NOT NULL,
            rows INTEGER NOT NULL, frozen_epoch INTEGER NOT NULL, delivered_epoch INTEGER, delivered_at INTEGER,
            origins BLOB NOT NULL, PRIMARY KEY (output_table, lineage, number)
        ) WITHOUT ROWID;
        -- How far each task that read in an epoch had read at its end: varint task, zigzag offset.
        CREATE TABLE epoch_offsets (epoch INTEGER PRIMARY KEY, committed_at INTEGER NOT NULL, offsets BLOB NOT NULL);
        """
    }
}
