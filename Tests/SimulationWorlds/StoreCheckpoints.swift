import CheckpointStores
import Engine
import Foundation
import Simulation
import TestSupport

/// The shipped code of workers' checkpoints over a simulated store: `StoreArchive`, `CheckpointStore` and `Restoration`.
///
/// Files of checkpoints hold the names of simulated copies. Each machine's state directory is a real directory.
final class StoreCheckpoints: CheckpointsUnderTest {
    private let objects: SimulatedObjects
    private let time: VirtualTime
    private let directory: TemporaryDirectory
    private let truth: CheckpointStore
    /// What each process chose last.
    private var chosen: [Int: Restoration] = [:]
    private var known: (changes: Int, newest: Manifest?) = (0, nil)
    private static let job = "simulated"

    init(_ objects: SimulatedObjects, _ time: VirtualTime, in directory: TemporaryDirectory) throws {
        self.objects = objects
        self.time = time
        self.directory = directory
        truth = try CheckpointStore(objects: StoredObjects(objects), job: StoreCheckpoints.job)
    }

    private func stateDirectory(_ machine: Int) throws -> String {
        let path = directory.file("machine-\(machine)")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func store(_ process: SimulatedProcess) throws -> CheckpointStore {
        try CheckpointStore(objects: ObjectsOfProcess(objects, process), job: StoreCheckpoints.job)
    }

    func choose(
        on machine: Int, takesOver: Bool, durability: Durability, interval: Duration, except unusable: Set<UInt64>,
        by process: SimulatedProcess
    ) throws -> RestorableCheckpoint? {
        var wish = Restoration.Wish(now: ObjectsOfProcess.milliseconds(time.now))
        wish.takesOver = takesOver
        wish.durability = durability
        wish.interval = interval
        wish.unusable = Set(unusable.map(ManifestNumber.init))
        let found = try Restoration.choose(in: try store(process), wish, refused: { _, _ in })
        chosen[process.number] = found
        return found.map { RestorableCheckpoint(number: $0.manifest.number.number, epoch: $0.manifest.epoch, lineage: $0.lineage) }
    }

    func fetch(_ checkpoint: RestorableCheckpoint, on machine: Int, by process: SimulatedProcess) throws -> RestoredCopies {
        guard let found = chosen.removeValue(forKey: process.number) else { throw SimulatedFailure(.bug, "no checkpoint was chosen") }
        let scratch = directory.file("restoring-\(process.number)")
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let files = try store(process).fetch(found.manifest, into: scratch)
        try StoreArchive.noteRestored(over: found.later, stateDirectory: try stateDirectory(machine))
        let names = try ([files.base] + files.deltas).map {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: $0)), as: UTF8.self)
        }
        return RestoredCopies(names: names, lineage: found.lineage, tables: found.tables)
    }

    func isOfOthers(_ machine: Int, by process: SimulatedProcess) throws -> Bool {
        try Restoration.isOfOthers(try store(process), stateDirectory: try stateDirectory(machine))
    }

    func makeArchive(on machine: Int, by process: SimulatedProcess) throws -> any CheckpointArchive {
        var settings = StoreArchive.Settings()
        settings.writer = "process-\(process.number)"
        settings.wallClock = { [clock = Clock(time)] in clock.milliseconds }
        settings.keep = 4
        settings.keepAge = .seconds(60)
        settings.collectionInterval = .zero
        let state = try stateDirectory(machine)
        return FileWriting(try StoreArchive(try store(process), stateDirectory: state, settings: settings), in: state)
    }

    func newestEpoch(of lineage: Lineage) -> Epoch? {
        if objects.changes != known.changes { known = (objects.changes, try? truth.newest()) }
        if let newest = known.newest, newest.lineage == lineage { return newest.epoch }
        // A worker that was taken for dead has its own lineage covered until it hears of the other.
        return ((try? truth.liveCheckpoints()) ?? []).compactMap { try? $0.manifest.get() }.first { $0.lineage == lineage }?.epoch
    }

    /// `@unchecked Sendable`: a simulation runs one thread at a time.
    private final class Clock: @unchecked Sendable {
        private let time: VirtualTime
        init(_ time: VirtualTime) { self.time = time }
        var milliseconds: Int64 { ObjectsOfProcess.milliseconds(time.now) }
    }
}

/// Gives copies the files that an archive wants.
///
/// `@unchecked Sendable`: a simulation runs one thread at a time.
private final class FileWriting: CheckpointArchive, @unchecked Sendable {
    private let archive: StoreArchive
    private let directory: String
    private var collections = 0
    /// Collecting reads every manifest: what is left to it each so many checkpoints takes no less turns.
    private static let collectsEvery = 3

    init(_ archive: StoreArchive, in directory: String) {
        self.archive = archive
        self.directory = directory
    }

    func publish(_ checkpoint: FinishedCheckpoint) throws -> PublishedCheckpoint {
        guard checkpoint.content != .nothing else { return try archive.publish(checkpoint) }
        let file = directory + "/" + checkpoint.file
        try Data(checkpoint.file.utf8).write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        return try archive.publish(
            FinishedCheckpoint(content: checkpoint.content, file: file, facts: checkpoint.facts, reason: checkpoint.reason))
    }

    func claim(_ facts: CheckpointFacts, _ change: ChangeAtRest) throws -> ArchiveStanding { try archive.claim(facts, change) }
    func confirmOwnership() throws { try archive.confirmOwnership() }

    func collect() throws {
        collections += 1
        if collections % FileWriting.collectsEvery == 0 { try archive.collect() }
    }
}
