import Engine

/// Where a job's objects lie:
/// ```
/// <job>/snapshots/<sha256>.db             a base
/// <job>/deltas/<sha256>.db                a delta
/// <job>/manifests/<number, 20 digits>.json  a manifest, or the tombstone of one
/// <job>/tags/<name>.json                  the manifest that a tag protects
/// <job>/collected.json                    which numbers were collected, to find the others fast
/// <job>/probe/<random>                    what a probe writes and removes
/// ```
struct StoreLayout: Sendable {
    let job: String

    /// Throws kind `invalid` when the job's name can't be part of a key.
    init(job: String) throws(CheckpointError) {
        self.job = job
        let isOnePart = try !ObjectKey(job).text.holds("/")
        guard isOnePart else {
            throw CheckpointError(.invalid, "the job's name \"\(job)\" holds a slash; set job.id to a name without one")
        }
    }

    static func objectName(_ kind: ManifestObject.Kind, _ sha256: SHA256Digest) -> String {
        switch kind {
        case .base: "snapshots/\(sha256).db"
        case .delta: "deltas/\(sha256).db"
        }
    }

    var objectFolders: [String] { ["\(job)/snapshots/", "\(job)/deltas/"] }
    var manifestFolder: String { "\(job)/manifests/" }
    var tagFolder: String { "\(job)/tags/" }
    var collected: ObjectKey { ObjectKey(known: "\(job)/collected.json") }

    func object(_ object: ManifestObject) -> ObjectKey { ObjectKey(known: "\(job)/\(object.key)") }

    func manifest(_ number: ManifestNumber) -> ObjectKey {
        let digits = String(number.number)
        return ObjectKey(known: "\(manifestFolder)\(String(repeating: "0", count: 20 - digits.count))\(digits).json")
    }

    /// Throws kind `invalid` for a name that no tag can have.
    func tag(_ name: String) throws(CheckpointError) -> ObjectKey {
        guard TagName.isValid(name[...]) else {
            throw CheckpointError(
                .invalid,
                "\"\(name)\" can't be a tag; use up to \(TagName.longest) letters, digits, dots, dashes and underscores, no dot first")
        }
        return ObjectKey(known: "\(tagFolder)\(name).json")
    }

    func probe(_ name: String) -> ObjectKey { ObjectKey(known: "\(job)/probe/\(name)") }
}
