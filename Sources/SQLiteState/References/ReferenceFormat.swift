/// The tables of the file that copies reference topics.
enum ReferenceFormat {
    /// The format's version, in `PRAGMA user_version`; a file of another version than this and 1 is made anew.
    static let version: Int64 = 2
    /// Marks the file (`PRAGMA application_id`): "TIDR".
    static let applicationID: Int64 = 0x5449_4452

    static let create = createFormat1 + upgradeOfFormat1

    static let createFormat1 = """
        -- The references with the shape of their records; fields is a JSON array of {"name", "type"}.
        CREATE TABLE reference (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, topic TEXT NOT NULL, version INTEGER NOT NULL,
            fields TEXT NOT NULL, partitions INTEGER NOT NULL
        );
        -- How far each partition is read; the last record read is kept to recognise the log.
        CREATE TABLE position (
            reference INTEGER NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
            last_offset INTEGER, last_timestamp INTEGER, last_checksum INTEGER, PRIMARY KEY (reference, partition)
        ) WITHOUT ROWID;
        CREATE TABLE record (
            reference INTEGER NOT NULL, key BLOB NOT NULL, record BLOB NOT NULL, PRIMARY KEY (reference, key)
        ) WITHOUT ROWID;
        """

    /// What format 2 has beside.
    static let upgradeOfFormat1 = """

        -- What was met of how a topic is written, by names of the job's.
        CREATE TABLE note (reference INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (reference, name)) WITHOUT ROWID;
        """
}
