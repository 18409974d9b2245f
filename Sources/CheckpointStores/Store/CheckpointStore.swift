import Engine
import Synchronization

/// The checkpoints of one job in an object store: numbered manifests and the objects that they are made of.
///
/// Manifests are numbered 1, 2, 3, … without gaps, each created only if absent: publishing the number after the newest
/// is what fences two writers. None is ever deleted; a collected one becomes a tombstone. Every call blocks and may come
/// from any thread; errors are `CheckpointError`s.
package final class CheckpointStore: Sendable {
    package let objects: any ObjectStore
    package let job: String
    let layout: StoreLayout
    /// A number that was there once, and so still is: where the search for the newest begins.
    private let seen = Mutex<UInt64>(0)
    /// What this value published last, which needs no second look before the next one.
    let published = Mutex<Manifest?>(nil)

    /// Is told what is odd in the store and in nobody's way.
    private let findings: @Sendable (String) -> Void
    private let noted = Mutex<Set<String>>([])

    /// Throws kind `invalid` when the job's name can't be part of a key.
    ///
    /// - Parameter findings: is told, once each, what lies in the store that should not, but is in nobody's way.
    package init(objects: any ObjectStore, job: String, findings: @escaping @Sendable (String) -> Void = { _ in }) throws(CheckpointError) {
        self.objects = objects
        self.job = job
        self.findings = findings
        layout = try StoreLayout(job: job)
    }

    /// Where the job's checkpoints are, for messages.
    package var location: String { "\(objects.location)/\(job)" }

    /// How messages name an object.
    func place(of key: ObjectKey) -> String { "\(objects.location)/\(key)" }

    /// The newest manifest; nil in an empty store. Throws `corrupt` or `incompatible` when that very one can't be read:
    /// `newestVerified` goes on to those before.
    package func newest() throws(CheckpointError) -> Manifest? {
        guard let number = try newestNumber() else { return nil }
        guard case .manifest(let manifest)? = try manifest(number) else {
            throw CheckpointError(
                .corrupt,
                "\(place(of: layout.manifest(number))) is the newest manifest and was removed or collected; somebody else changed the store"
            )
        }
        return manifest
    }

    /// The newest number and the hash of what is stored there, readable or not: what a writer publishes after. nil in an
    /// empty store.
    package func newestLink() throws(CheckpointError) -> ManifestLink? {
        guard let number = try newestNumber() else { return nil }
        return try link(number)
    }

    /// A tombstone's is that of the manifest it was. Throws kind `corrupt` when the number was given and is gone.
    func link(_ number: ManifestNumber) throws(CheckpointError) -> ManifestLink {
        let key = layout.manifest(number)
        guard let stored = try stored(number) else {
            throw CheckpointError(.corrupt, "\(place(of: key)) is gone, which was there before; somebody removed it from the store")
        }
        let bytes: [UInt8]
        switch stored {
        case .bytes(let found): bytes = found
        case .tooLong(let hash): return ManifestLink(number: number, sha256: hash)
        }
        do throws(CheckpointError) {
            if case .tombstone(let tombstone) = try ManifestOrTombstone.read(bytes, number: number, job: job, at: place(of: key)) {
                return ManifestLink(number: number, sha256: tombstone.sha256)
            }
        } catch {
            guard [.corrupt, .incompatible].contains(error.kind) else { throw error }
        }
        return ManifestLink(number: number, sha256: SHA256.of(bytes))
    }

    /// A manifest or what is left of it; nil when that number was never given.
    package func manifest(_ number: ManifestNumber) throws(CheckpointError) -> ManifestOrTombstone? {
        let key = layout.manifest(number)
        guard let bytes = try objects.get(key, limit: Manifest.longest) else { return nil }
        return try ManifestOrTombstone.read(bytes, number: number, job: job, at: place(of: key))
    }

    /// The newest number, found by galloping up from the last one known and bisecting, without a listing.
    package func newestNumber() throws(CheckpointError) -> ManifestNumber? {
        var there = seen.withLock { $0 }
        var step: UInt64 = 1
        while try isThere(there + step) {
            there += step
            step *= 2
            guard there + step <= ManifestNumber.last.number else {
                throw CheckpointError(
                    .corrupt,
                    "\(location) says that it has manifest \(there), as if it had every one: it is no store of checkpoints, or somebody answers in its place; see to checkpoints.store and AWS_ENDPOINT_URL"
                )
            }
        }
        var absent = there + step
        while absent - there > 1 {
            let middle = there + (absent - there) / 2
            if try isThere(middle) { there = middle } else { absent = middle }
        }
        noteSeen(there)
        return there == 0 ? nil : ManifestNumber(there)
    }

    private func isThere(_ number: UInt64) throws(CheckpointError) -> Bool {
        do throws(CheckpointError) {
            return try objects.get(layout.manifest(ManifestNumber(number)), limit: Manifest.longest) != nil
        } catch {
            // Damage, and there: the number was given.
            guard error.kind == .corrupt else { throw error }
            return true
        }
    }

    /// What lies under a manifest's number.
    enum StoredManifest {
        case bytes([UInt8])
        /// Damage that is longer than a manifest can be: its hash.
        case tooLong(SHA256Digest)

        var sha256: SHA256Digest {
            switch self {
            case .bytes(let bytes): SHA256.of(bytes)
            case .tooLong(let hash): hash
            }
        }
    }

    /// The longest thing under a manifest's number that is hashed, so that a writer may publish after it: 1 GiB.
    private static let longestDamage = 1 << 30

    /// nil when there is nothing.
    func stored(_ number: ManifestNumber) throws(CheckpointError) -> StoredManifest? {
        let key = layout.manifest(number)
        do throws(CheckpointError) {
            return try objects.get(key, limit: Manifest.longest).map { .bytes($0) }
        } catch {
            guard error.kind == .corrupt else { throw error }
            return try objects.download(key, into: nil, limit: CheckpointStore.longestDamage).map { .tooLong($0.sha256) }
        }
    }

    /// More of them are not told: who fills a store with oddities must not fill a log.
    private static let mostFindings = 100

    func note(_ finding: String) {
        let isNew = noted.withLock { $0.count < CheckpointStore.mostFindings && $0.insert(finding).inserted }
        if isNew { findings(finding) }
    }

    func noteSeen(_ number: UInt64) { seen.withLock { $0 = max($0, number) } }
}
