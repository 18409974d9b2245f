import Engine

/// What bringing state tables to another version takes, counted before anything is done.
package struct MigrationEstimate: Sendable, Equatable {
    /// Records that are written anew; one that changed since it was compacted counts as often.
    package let records: Int
    /// Their keys and what is stored of them.
    package let bytes: Int
    /// The part of `records` and `bytes` that has to be compacted first.
    package let waitingBytes: Int
    package let waitingRecords: Int

    /// Records that one second takes, and their bytes: of `benchmark migrate` in a release build, rounded down. What has to be
    /// compacted is written twice.
    private static let recordsPerSecond = 250_000.0
    private static let bytesPerSecond = 25e6
    /// How much room a byte of records takes in pages, and what a record takes beside its bytes.
    private static let pageBytesPerByte = 1.2
    private static let recordOverhead = 12
    /// The log's own, and what else is written.
    private static let leastRoom = 1 << 20

    /// Bytes of the file's pages that nothing is in.
    private let unusedBytes: Int

    /// About how many seconds it takes.
    package var seconds: Double {
        max(
            Double(records + waitingRecords) / MigrationEstimate.recordsPerSecond,
            Double(bytes + waitingBytes) / MigrationEstimate.bytesPerSecond)
    }

    /// About how many bytes have to be free on the state directory's disk while it lasts.
    package var room: Int {
        let new = Int(Double(bytes + records * MigrationEstimate.recordOverhead) * MigrationEstimate.pageBytesPerByte)
        // A change that is compacted may be all that changes in its page.
        let compacted = min(new, waitingRecords * Int(Database.pageSize))
        // All that is written is in the log first, and then the new records are in the file.
        return compacted + new + max(0, new - unusedBytes) + MigrationEstimate.leastRoom
    }

    /// For people. `free`: the bytes that are free there; nil when nobody can say.
    package func text(free: Int?) -> String {
        let time = seconds < 1 ? "a second" : "\(Int(seconds.rounded(.up))) s"
        let found = free.map { "\(DiskRoom.mebibytes($0)) are free" } ?? "how much is free there is not known"
        return
            "\(records) records (\(DiskRoom.mebibytes(bytes))) are brought to another version, which takes about \(time) and about \(DiskRoom.mebibytes(room)) of the state directory's disk; \(found)"
    }

    /// Throws kind `retry`, caused by a full disk, when there is not room enough. `reusable`: bytes of the log's file, which
    /// an earlier try may have left.
    func requireRoom(in directory: String, _ gauge: any RoomGauge, reusable: Int) throws {
        try DiskRoom.require(
            max(0, room - reusable), in: directory, to: "bring \(records) records to another version, in one piece", gauge: gauge)
    }

    /// nil where a start would migrate nothing.
    init?(_ database: Database, _ compatibility: StateCompatibility) throws {
        let migrated = Set(compatibility.tables.filter { $0.action == .migrate }.map { StateTableName($0.stage, $0.name) })
        let rows = try StateTableRows(database: database).all().filter {
            $0.stored.role == .current && migrated.contains(StateTableName($0.stored.stage, $0.schema.table))
        }
        guard !rows.isEmpty else { return nil }
        let (keyed, tasks, deltas) = (KeyedRows(database), try TaskTable(database).all(), DeltaLog(database))
        var (compacted, waiting) = ((records: 0, bytes: 0), (records: 0, bytes: 0))
        for row in rows {
            for task in tasks where task.id.stage == row.stored.stage {
                let size = try keyed.size(of: RecordGroup(task: task.number, table: row.id))
                compacted = (compacted.records + size.records, compacted.bytes + size.bytes)
            }
        }
        let tables = Set(rows.map(\.id))
        for (group, rows) in try WaitingDeltas(deltas).inOrder where tables.contains(group.table) {
            try deltas.forEachChanges(of: rows) { changes in
                _ = StateDelta.forEachChange(in: changes) { change in
                    if case .stored(let key, let record) = change {
                        waiting = (waiting.records + 1, waiting.bytes + key.count + record.count)
                    }
                }
            }
        }
        (records, bytes) = (compacted.records + waiting.records, compacted.bytes + waiting.bytes)
        (waitingRecords, waitingBytes) = waiting
        unusedBytes = Int(try database.integer("PRAGMA freelist_count") * Database.pageSize)
    }
}
