import Engine
import TestSupport
import Testing

@testable import SQLiteState

@Suite("What a migration takes is counted before it is begun, and one that there is no room for is not begun")
struct MigrationEstimateTests {
    private static let one = StateSchema(
        table: "keyed", version: 1, key: .key, hasTimer: false, fields: [StateField(name: "a", type: .text)])
    private static let two = StateDeclaration(
        schema: StateSchema(
            table: "keyed", version: 2, key: .key, hasTimer: false,
            fields: [StateField(name: "a", type: .text), StateField(name: "b", type: .unsigned)]
        ),
        evolution: .from(1).adding("b", default: UInt64(5))
    )
    private static let first = PlainJob.topology(version: 1, declarations: [StateDeclaration(schema: one)])
    private static let second = PlainJob.topology(version: 2, declarations: [two])
    /// A key of 7 bytes, and a text of 200 with its length of two bytes.
    private static let recordBytes = 7 + 202

    private struct Gauge: RoomGauge {
        let bytes: Int?
        func free(in directory: String) -> Int? { bytes }
    }

    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func settings(free: Int? = nil, compactionBytes: Int = 1 << 40) -> SQLiteStateStore.Settings {
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = compactionBytes
        settings.gauge = Gauge(bytes: free)
        return settings
    }

    /// `compacted` records that are compacted, then `uncompacted` that are not.
    private func fill(compacted: Int, uncompacted: Int) throws {
        for (epoch, keys, compactionBytes) in [(UInt64(1), 0..<compacted, 1), (2, compacted..<compacted + uncompacted, 1 << 40)] {
            let store = try reopened(directory.path, settings: settings(compactionBytes: compactionBytes))
            _ = try store.open(MigrationEstimateTests.first)
            var changes = PlainChanges()
            for key in keys { changes.stored.append((Array("k\(100_000 + key)".utf8), [200, 1] + [UInt8](repeating: 97, count: 200))) }
            try store.commit(PlainJob.cut(epoch, [PlainJob.taskCut(PlainJob.task(0), deltas: [changes.delta("keyed")])]))
            while try compactionBytes == 1 && store.maintain().left != .nothing {}
        }
    }

    @Test func recordsAndBytesOfWhatIsMigratedAreCountedCompactedOrNot() throws {
        try fill(compacted: 30, uncompacted: 12)
        let store = try reopened(directory.path)
        let estimate = try #require(try store.migration(to: MigrationEstimateTests.second))
        #expect(estimate.records == 42 && estimate.waitingRecords == 12)
        #expect(
            estimate.bytes == 42 * MigrationEstimateTests.recordBytes && estimate.waitingBytes == 12 * MigrationEstimateTests.recordBytes)
        #expect(try store.inspect(MigrationEstimateTests.second)?.migration == estimate)
        #expect(try store.migration(to: MigrationEstimateTests.first) == nil, "nothing is to be done")
        #expect(
            estimate.text(free: 5 << 20)
                == "42 records (1 MiB) are brought to another version, which takes about a second and about 2 MiB of the state directory's disk; 5 MiB are free"
        )
        _ = try store.open(MigrationEstimateTests.second)
        #expect(try store.migration(to: MigrationEstimateTests.second) == nil, "it is done")
    }

    @Test func aMigrationThatDoesNotFitIsNotBegunAndIsMadeOnceThereIsRoom() throws {
        try fill(compacted: 300, uncompacted: 30)
        let room = try #require(try reopened(directory.path).migration(to: MigrationEstimateTests.second)).room
        do {
            let store = try reopened(directory.path, settings: settings(free: room / 4))
            let error = #expect(throws: StateError.self) { try store.open(MigrationEstimateTests.second) }
            #expect(
                error?.kind == .retry && error?.fullDisk?.path == directory.path
                    && error?.message.contains("bring 330 records to another version") == true)
        }
        do {
            let earlier = try reopened(directory.path, settings: settings(free: 0))
            #expect(try earlier.open(MigrationEstimateTests.first).changes == [], "the version before needs no room, and finds its state")
        }
        let store = try reopened(directory.path, settings: settings(free: room))
        #expect(try store.open(MigrationEstimateTests.second).changes.count == 2)
    }
}
