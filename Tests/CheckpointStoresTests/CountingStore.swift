import CheckpointStores
import Engine
import Synchronization

/// A store that counts what is asked of another, and lets something happen meanwhile.
final class CountingStore: ObjectStore {
    private let objects: any ObjectStore
    private let counts = Mutex((gets: 0, lists: 0))
    private let onList: @Sendable (_ lists: Int) -> Void

    /// `onList`: called before a list is answered, with how many were asked for.
    init(_ objects: any ObjectStore, onList: @escaping @Sendable (_ lists: Int) -> Void = { _ in }) {
        self.objects = objects
        self.onList = onList
    }

    var gets: Int { counts.withLock(\.gets) }
    var lists: Int { counts.withLock(\.lists) }
    func reset() { counts.withLock { $0 = (0, 0) } }

    var location: String { objects.location }

    func put(_ content: ObjectContent, at key: ObjectKey, onlyIfAbsent: Bool) throws(CheckpointError) -> PutOutcome {
        try objects.put(content, at: key, onlyIfAbsent: onlyIfAbsent)
    }

    func get(_ key: ObjectKey, limit: Int) throws(CheckpointError) -> [UInt8]? {
        counts.withLock { $0.gets += 1 }
        return try objects.get(key, limit: limit)
    }

    func download(_ key: ObjectKey, into file: String?, limit: Int) throws(CheckpointError) -> ObjectDigest? {
        try objects.download(key, into: file, limit: limit)
    }

    func list(prefix: String, after: ObjectKey?, limit: Int) throws(CheckpointError) -> [ListedObject] {
        onList(
            counts.withLock { counts in
                counts.lists += 1
                return counts.lists
            })
        return try objects.list(prefix: prefix, after: after, limit: limit)
    }

    func delete(_ key: ObjectKey) throws(CheckpointError) { try objects.delete(key) }
}

/// How calls of several threads ended.
final class Results: Sendable {
    private let found = Mutex<[FailureKind?]>([])

    func add(_ kind: FailureKind?) { found.withLock { $0.append(kind) } }
    var kinds: [FailureKind?] { found.withLock { $0 } }
}
