import CheckpointStores
import Engine
import Foundation
import TestSupport

/// The two kinds of stores that keep the same promises.
enum StoreKind: String, CaseIterable, Sendable {
    case directory
    case s3

    /// One server for all tests; it ends with this process.
    private static let server = Result { try S3Server() }

    static func s3Server() throws -> S3Server { try server.get() }

    /// An empty store of its own, whose name has every sign that is encoded somewhere.
    func makeObjects(below directory: TemporaryDirectory) throws -> any ObjectStore {
        switch self {
        case .directory: return DirectoryObjectStore(path: directory.file("store a+b~ü%20"))
        case .s3:
            let server = try StoreKind.s3Server()
            let location = "s3://\(server.bucket)/\(UUID().uuidString)/a b+~ü%20&=?#"
            return S3ObjectStore(settings: try S3Settings(location: location, environment: server.environment()))
        }
    }
}

/// A store with the checkpoints of one job, and local files to make them of.
struct StoreFixture {
    let directory: TemporaryDirectory
    let objects: any ObjectStore
    let store: CheckpointStore

    static let day: Int64 = 86_400_000
    /// When the fixture's checkpoints begin: 2026-09-01T00:00Z.
    static let start: Int64 = 1_788_220_800_000

    init(_ kind: StoreKind = .directory) throws {
        directory = try TemporaryDirectory("tidemark-stores")
        objects = try kind.makeObjects(below: directory)
        store = try CheckpointStore(objects: objects, job: "fin tech+1")
    }

    /// A local file with this text.
    func file(_ text: String) throws -> String {
        let path = directory.file("local-\(UUID().uuidString)")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    func draft(
        epoch: UInt64, after parent: Manifest?, retaining retained: [ManifestObject] = [], writer: String = "host:1:a",
        createdAt: Int64 = StoreFixture.start,
        lineage: Lineage = .first, tasks: [CheckpointFacts.TaskProgress] = [], tables: [CheckpointFacts.TableProgress] = []
    ) -> ManifestDraft {
        let facts = CheckpointFacts(
            job: store.job, jobVersion: 3, stateFormat: 2, identity: "b6a1", hashKey: .ofTests, lineage: lineage, epoch: Epoch(epoch),
            partitions: ["transactions": 4],
            tasks: [CheckpointFacts.TaskProgress(id: TaskID(stage: "by \"key\"", partition: 0), watermark: nil, next: 7)] + tasks,
            tables: [CheckpointFacts.TableProgress(name: "metrics", lastFrozen: BatchNumber(9), lastDelivered: nil)] + tables
        )
        return ManifestDraft(
            facts, after: parent?.link, retaining: retained, writer: writer, createdAt: createdAt, reason: .interval)
    }

    /// Publishes a base of its own as the state of an epoch.
    @discardableResult
    func publishBase(
        epoch: UInt64, after parent: Manifest?, createdAt: Int64 = StoreFixture.start, writer: String = "host:1:a",
        lineage: Lineage = .first
    ) throws -> Manifest {
        let base = NewObject(kind: .base, file: try file("base of \(epoch)"), epoch: Epoch(epoch))
        return try store.publish(draft(epoch: epoch, after: parent, writer: writer, createdAt: createdAt, lineage: lineage), files: [base])
    }

    /// Publishes the parent's objects and a delta on top.
    @discardableResult
    func publishDelta(epoch: UInt64, after parent: Manifest, createdAt: Int64 = StoreFixture.start, writer: String = "host:1:a") throws
        -> Manifest
    {
        let delta = NewObject(kind: .delta(after: parent.epoch), file: try file("delta to \(epoch)"), epoch: Epoch(epoch))
        return try store.publish(
            draft(epoch: epoch, after: parent, retaining: parent.objects, writer: writer, createdAt: createdAt), files: [delta])
    }

    /// Bases of epochs 1, 2, …, published a day apart.
    func publishDaily(_ count: Int) throws -> [Manifest] {
        var manifests: [Manifest] = []
        for number in 1...count {
            manifests.append(
                try publishBase(
                    epoch: UInt64(number), after: manifests.last, createdAt: StoreFixture.start + Int64(number - 1) * StoreFixture.day))
        }
        return manifests
    }

    func key(_ text: String) throws -> ObjectKey { try ObjectKey("\(store.job)/\(text)") }
    func manifestKey(_ number: Int) throws -> ObjectKey {
        try key("manifests/\(String(repeating: "0", count: 20 - String(number).count))\(number).json")
    }
    func bytes(_ key: ObjectKey) throws -> [UInt8]? { try objects.get(key, limit: 1 << 20) }
    func replace(_ key: ObjectKey, by bytes: [UInt8]) throws { _ = try objects.put(.bytes(bytes), at: key, onlyIfAbsent: false) }

    /// The kind of the error that `body` throws; nil when it throws none.
    static func failure(_ body: () throws -> Void) throws -> CheckpointError? {
        do {
            try body()
            return nil
        } catch let error as CheckpointError {
            return error
        }
    }
}
