import CSQLite
import CheckpointStores
import Engine
import SQLiteState
import TestSupport

/// A state of the shop job with six epochs behind it, and four checkpoints of them in a directory store: a base of epoch 2,
/// deltas of epochs 4 and 5 on it, and a base of epoch 6, which was a drain's.
final class ShopHistory: Sendable {
    /// Of the shop's state, as it is stored.
    static let hashKey = "5ec2e7000102030405060708090a0b0c"

    /// The working directory of the tool: `state` is the state directory, `store` the checkpoints.
    let directory: TemporaryDirectory

    static let noon = EventTime(text: "2026-09-01T12:00Z")!

    /// The shop's history is made once a process; tests that change it make one of their own.
    static let shared = Result { try ShopHistory() }

    /// Changes the state file, which no worker has.
    func changeState(_ sql: String) throws { try ShopHistory.change(directory.file("state"), sql) }

    fileprivate static func change(_ state: String, _ sql: String) throws {
        var database: OpaquePointer?
        defer { sqlite3_close_v2(database) }
        guard sqlite3_open(state + "/state.db", &database) == SQLITE_OK, sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK else {
            throw WaitedTooLong(description: "\(sql) can't be done to \(state)")
        }
    }

    static func minute(_ minutes: Int64) -> EventTime { EventTime(milliseconds: noon.milliseconds + minutes * 60_000) }

    init() throws {
        directory = try TemporaryDirectory("tidemark-shop")
        let publisher = try ShopPublisher(directory)
        for cut in ShopEpochs.cuts { try publisher.commit(cut) }
        try publisher.checkpoints.tag(ManifestNumber(2), as: "before-five")
    }

    /// The least that has one of each object: a base of epoch 2, which is tagged, a delta of epoch 4 on it, and a worker that
    /// claimed the job then. So `latest` is checkpoint 3, and 2 was collected.
    init(small: Void) throws {
        directory = try TemporaryDirectory("tidemark-shop", inMemory: true)
        let publisher = try ShopPublisher(directory)
        for cut in ShopEpochs.cuts.prefix(4) { try publisher.commit(cut) }
        try publisher.publishClaim()
        try publisher.checkpoints.tag(ManifestNumber(1), as: "first")
        _ = try publisher.checkpoints.collect(RetentionPolicy(last: 1), olderThan: .zero, now: ShopHistory.minute(600).milliseconds)
    }
}

/// Writes the shop's state and publishes it.
private final class ShopPublisher {
    private let directory: TemporaryDirectory
    private let store: SQLiteStateStore
    let checkpoints: CheckpointStore
    private var newest: Manifest?

    init(_ directory: TemporaryDirectory) throws {
        self.directory = directory
        let state = directory.file("state")
        try ShopPublisher.makeState(state)
        store = try SQLiteStateStore(directory: state)
        _ = try store.open(ShopJob.topology())
        try store.register(partitions: ["shop.orders": 2, "totals": 1])
        checkpoints = try CheckpointStore.open(location: directory.file("store"), job: ShopJob.job, environment: [:])
        try store.keepChanges(after: Epoch(2))
    }

    func commit(_ cut: EpochCut) throws {
        try store.commit(cut)
        switch cut.epoch.number {
        case 2: try publishBase(.start)
        case 4, 5: try publishDelta(.interval)
        case 6: try publishBase(.drain)
        default: break
        }
    }

    /// Identity and hash key are drawn by lot; here they have to be the same each time.
    private static func makeState(_ path: String) throws {
        _ = try SQLiteStateStore(directory: path).open(ShopJob.topology())
        try ShopHistory.change(
            path,
            "UPDATE meta SET value = '5409' WHERE name = 'identity'; UPDATE meta SET value = '\(ShopHistory.hashKey)' WHERE name = 'hash_key'"
        )
    }

    private func publishBase(_ reason: CheckpointReason) throws {
        let file = directory.file("base.db")
        try store.beginBase(at: file)
        var facts: CheckpointFacts?
        while facts == nil { facts = try store.stepBase() }
        try publish(facts!, reason, retained: [], file: NewObject(kind: .base, file: file, epoch: facts!.epoch))
    }

    private func publishDelta(_ reason: CheckpointReason) throws {
        let (file, from) = (directory.file("delta-\(newest!.epoch).db"), newest!.epoch)
        let facts = try store.writeDelta(after: from, at: file)!
        try publish(facts, reason, retained: newest!.objects, file: NewObject(kind: .delta(after: from), file: file, epoch: facts.epoch))
    }

    /// The newest checkpoint once more, as a worker publishes it when it starts.
    func publishClaim() throws { try publish(newest!.facts, .start, retained: newest!.objects, file: nil) }

    private func publish(_ facts: CheckpointFacts, _ reason: CheckpointReason, retained: [ManifestObject], file: NewObject?) throws {
        let draft = ManifestDraft(
            facts, after: newest?.link, retaining: retained, writer: "shop-host:1:0",
            createdAt: ShopHistory.minute(Int64(facts.epoch.number) * 12 + 1).milliseconds, reason: reason
        )
        newest = try checkpoints.publish(draft, files: file.map { [$0] } ?? [])
    }
}
