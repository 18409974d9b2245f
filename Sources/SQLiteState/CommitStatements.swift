/// The statements of the epoch's transaction and of cold reads, prepared once.
final class CommitStatements {
    let setEpoch: Statement
    let setReadBefore: Statement
    let forgetReadBefore: Statement
    let setPosition: Statement
    let setWatermark: Statement
    let addDelta: Statement
    let addMessage: Statement
    let removeMessage: Statement
    let addChunk: Statement
    let removeChunk: Statement
    let addBatch: Statement
    let setDelivered: Statement
    let addOffsets: Statement
    let lastID: Statement
    let readKeyed: Statement
    let scanKeyed: Statement

    init(_ database: Database) throws {
        setEpoch = try Statement(database, "UPDATE meta SET value = ? WHERE name = 'epoch'")
        setReadBefore = try Statement(database, "INSERT INTO meta (name, value) VALUES ('\(ReadBeforeEntries.prefix)' || ?, ?)")
        forgetReadBefore = try Statement(
            database, "DELETE FROM meta WHERE name >= '\(ReadBeforeEntries.prefix)' AND name < '\(ReadBeforeEntries.end)'")
        setPosition = try Statement(
            database, "UPDATE task SET next_offset = ?, last_offset = ?, last_timestamp = ?, last_checksum = ? WHERE id = ?")
        setWatermark = try Statement(database, "UPDATE task SET watermark = ?, ended = ? WHERE id = ?")
        addDelta = try Statement(database, "INSERT INTO delta (sequence, task, state_table, epoch, bytes) VALUES (?, ?, ?, ?, ?)")
        addMessage = try Statement(
            database, "INSERT INTO message (sender, receiver, epoch, count, layout, bytes) VALUES (?, ?, ?, ?, ?, ?)")
        removeMessage = try Statement(database, "DELETE FROM message WHERE sequence = ?")
        addChunk = try Statement(
            database,
            "INSERT INTO outbox (task, output_table, epoch, chunk, partition, rows, layout, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        removeChunk = try Statement(database, "DELETE FROM outbox WHERE sequence = ?")
        addBatch = try Statement(
            database,
            "INSERT INTO batch (output_table, lineage, number, partition, rows, frozen_epoch, origins) VALUES (?, ?, ?, ?, ?, ?, ?)")
        setDelivered = try Statement(
            database, "UPDATE batch SET delivered_epoch = ?, delivered_at = ? WHERE output_table = ? AND lineage = ? AND number = ?")
        addOffsets = try Statement(database, "INSERT INTO epoch_offsets (epoch, committed_at, offsets) VALUES (?, ?, ?)")
        lastID = try Statement(database, "SELECT last_insert_rowid()")
        readKeyed = try Statement(database, "SELECT record FROM keyed WHERE task = ? AND state_table = ? AND key = ?")
        scanKeyed = try Statement(database, "SELECT key, record FROM keyed WHERE task = ? AND state_table = ? AND key >= ? ORDER BY key")
    }
}
