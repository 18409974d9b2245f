import Engine

/// What bringing state tables to another version takes, counted before anything is done.
public struct MigrationEstimate: Sendable, Equatable {
    /// Records that are written anew; one that changed since it was compacted counts as often.
    public let records: Int
    /// Their keys and what is stored of them.
    public let bytes: Int
    /// The part of `records` and `bytes` that has to be compacted first.
    public let uncompactedBytes: Int
    public let uncompactedRecords: Int

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
    public var seconds: Double {
        max(
            Double(records + uncompactedRecords) / MigrationEstimate.recordsPerSecond,
            Double(bytes + uncompactedBytes) / MigrationEstimate.bytesPerSecond)
    }

    /// About how many bytes have to be free on the state directory's disk while it lasts.
    public var room: Int {
        let new = Int(Double(bytes + records * MigrationEstimate.recordOverhead) * MigrationEstimate.pageBytesPerByte)
        // A change that is compacted may be all that changes in its page.
        let compacted = min(new, uncompactedRecords * Int(Database.pageSize))
        // All that is written is in the log first, and then the new records are in the file.
        return compacted + new + max(0, new - unusedBytes) + MigrationEstimate.leastRoom
    }

    /// For people. `free`: the bytes that are free there; nil when nobody can say.
    public func text(free: Int?) -> String {
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
        let rows = try CatalogTable.all(in: database).filter {
            $0.stored.role == .current && migrated.contains(StateTableName($0.stored.stage, $0.schema.table))
        }
        guard !rows.isEmpty else { return nil }
        var (compacted, uncompacted) = (Share(), Share())
        for row in rows { compacted += try Share(compacted: row, database) }
        uncompacted = try Share(uncompacted: Set(rows.map(\.id)), database)
        (records, bytes) = (compacted.records + uncompacted.records, compacted.bytes + uncompacted.bytes)
        (uncompactedRecords, uncompactedBytes) = (uncompacted.records, uncompacted.bytes)
        unusedBytes = Int(try database.integer("PRAGMA freelist_count") * Database.pageSize)
    }

    private struct Share {
        var records = 0
        var bytes = 0

        init() {}

        init(compacted row: CatalogTable, _ database: Database) throws {
            let count = try Statement(
                database,
                """
                SELECT count(*), coalesce(sum(length(key) + length(record)), 0) FROM task JOIN keyed ON keyed.task = task.id WHERE state_table = ?1 AND stage = ?2
                """)
            try count.bind(.integer(row.id), .text(row.stored.stage.text))
            _ = try count.step()
            (records, bytes) = (Int(count.integer(0)), Int(count.integer(1)))
        }

        init(uncompacted tables: Set<Int64>, _ database: Database) throws {
            for (group, rows) in try UncompactedDeltas(in: database).inOrder where tables.contains(group.table) {
                try UncompactedDeltas.forEachChanges(of: rows, in: database) { changes in
                    _ = StateDelta.forEachChange(in: changes) { change in
                        guard case .stored(let key, let record) = change else { return }
                        records += 1
                        bytes += key.count + record.count
                    }
                }
            }
        }

        static func += (sum: inout Share, more: Share) {
            sum.records += more.records
            sum.bytes += more.bytes
        }
    }
}
