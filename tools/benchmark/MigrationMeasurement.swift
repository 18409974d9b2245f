import ArgumentParser
import Engine
import Foundation
import SQLiteState

/// `benchmark migrate`
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "A start that brings a table's records to another version, the way back, and finalizing."
    )

    @Option(help: "How many records the table has.")
    var records = 1_000_000

    func run() throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "tidemark-migrate-\(ProcessInfo.processInfo.processIdentifier)"
        ).path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try MigrationMeasurement(directory: directory, records: records).run()
    }
}

/// A job of one task and one table of records of about 100 bytes, in two versions.
struct MigrationMeasurement {
    let directory: String
    let records: Int

    private static let recordsPerEpoch = 50_000

    func run() throws {
        try fill()
        try measure("start of the same version") { _ = try store().open(MigrationJob.topology(1)) }
        try measure("migration") { _ = try store().open(MigrationJob.topology(2)) }
        try measure("start after it") { _ = try store().open(MigrationJob.topology(2)) }
        try measure("going back") { _ = try store().open(MigrationJob.topology(1)) }
        try measure("migration once more") { _ = try store().open(MigrationJob.topology(2)) }
        try measure("finalizing") { _ = try store().finalize(MigrationJob.topology(2)) }
    }

    private func store() throws -> SQLiteStateStore { try SQLiteStateStore(directory: directory) }

    private func fill() throws {
        let store = try store()
        _ = try store.open(MigrationJob.topology(1))
        for (number, start) in stride(from: 0, to: records, by: MigrationMeasurement.recordsPerEpoch).enumerated() {
            let delta = MigrationJob.delta(start..<min(start + MigrationMeasurement.recordsPerEpoch, records))
            let task = TaskCut(
                task: TaskID(stage: "keys", partition: 0), watermark: .distantPast, position: nil, deltas: [delta], rows: [], sent: [],
                received: []
            )
            try store.commit(EpochCut(epoch: Epoch(UInt64(number + 1)), tasks: [task], frozen: [], delivered: [], wallClock: 0))
            _ = try store.maintain()
        }
    }

    private func measure(_ what: String, _ body: () throws -> Void) throws {
        let processor = Figures.processSeconds
        let start = Date()
        let room = RoomWatch(directory)
        try body()
        let (wall, used) = (Date().timeIntervalSince(start), Figures.processSeconds - processor)
        let most = room.end() >> 20
        let size = (try FileManager.default.attributesOfItem(atPath: directory + "/state.db")[.size] as? Int ?? 0) >> 20
        Figures.show(
            what, perMillion: used / Double(records) * 1e6,
            String(format: "%.3f s, file %d MiB, at most %d MiB more than before", wall, size, most))
    }
}

/// Looks again and again how much a directory's files take.
///
/// `@unchecked Sendable`: the members are behind the lock.
private final class RoomWatch: @unchecked Sendable {
    private let lock = NSLock()
    private var most = 0
    private var isEnded = false
    private let before: Int

    private static let pause = 0.005

    init(_ directory: String) {
        before = RoomWatch.bytes(directory)
        let thread = Thread { [self] in
            while !lock.withLock({ isEnded }) {
                let now = RoomWatch.bytes(directory)
                lock.withLock { most = max(most, now) }
                Thread.sleep(forTimeInterval: RoomWatch.pause)
            }
        }
        thread.start()
    }

    private static func bytes(_ directory: String) -> Int {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return files.reduce(0) { $0 + ((try? FileManager.default.attributesOfItem(atPath: "\(directory)/\($1)")[.size] as? Int) ?? 0) }
    }

    /// How many bytes more than in the beginning there were at most.
    func end() -> Int {
        lock.withLock {
            isEnded = true
            return max(most - before, 0)
        }
    }
}
