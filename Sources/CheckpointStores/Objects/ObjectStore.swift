/// A place that keeps whole objects under keys: a directory, a bucket.
///
/// What an implementor guarantees:
/// - An object appears whole or not at all, and once a `put` has returned it survives a crash of either side.
/// - What a `put` wrote, every `get`, `download` and `list` that begins after it sees, from any machine.
/// - Of all puts `onlyIfAbsent` for one key, however many at once, one gets `created` and its bytes stay.
/// - An answer that was lost is found out or retried within named limits, and after that is an error of kind `retry`,
///   after which the object may or may not be there.
///
/// Errors are `CheckpointError`s. All calls block; any thread may call, several at once too.
package protocol ObjectStore: Sendable {
    /// Where it is, for messages: `/var/lib/checkpoints` or `s3://bucket/prefix`. Holds no credentials.
    var location: String { get }

    /// Writes an object; with `onlyIfAbsent` never over one that is there.
    func put(_ content: ObjectContent, at key: ObjectKey, onlyIfAbsent: Bool) throws(CheckpointError) -> PutOutcome

    /// An object's bytes; nil when there is none. Throws kind `corrupt` when it has more than `limit` bytes.
    func get(_ key: ObjectKey, limit: Int) throws(CheckpointError) -> [UInt8]?

    /// Reads an object of any size, hashing it on the way, into a new file that must not exist, which is synced; without
    /// one the bytes are only hashed. nil when there is no object. Throws kind `corrupt`, at once, when it has more than `limit`
    /// bytes. After an error there is no file.
    func download(_ key: ObjectKey, into file: String?, limit: Int) throws(CheckpointError) -> ObjectDigest?

    /// Up to `limit` objects whose keys start with `prefix` and come after `after`, ordered by the bytes of their keys.
    func list(prefix: String, after: ObjectKey?, limit: Int) throws(CheckpointError) -> [ListedObject]

    /// Up to `limit` of the names that keys begin with, up to their first slash, in the order of their bytes.
    func folders(limit: Int) throws(CheckpointError) -> [String]

    /// Removes an object; one that isn't there is fine.
    func delete(_ key: ObjectKey) throws(CheckpointError)
}

extension ObjectStore {
    /// By a listing that goes past each folder's content.
    package func folders(limit: Int) throws(CheckpointError) -> [String] {
        var folders: [String] = []
        var after: ObjectKey?
        while folders.count < limit, let key = try list(prefix: "", after: after, limit: 1).first?.key {
            after = key
            guard let slash = key.text.firstIndex(ofSign: "/") else { continue }
            let folder = String(key.text[..<slash])
            folders.append(folder)
            // The sign after the slash: nothing that begins with the folder's name and a slash comes behind it.
            after = ObjectKey(known: folder + "0")
        }
        return folders
    }
}

/// What to write.
package enum ObjectContent: Sendable {
    case bytes([UInt8])
    /// A file that must stay as it is meanwhile: a file that doesn't have this size and hash is refused (kind `corrupt`).
    case file(path: String, ObjectDigest)
}

package enum PutOutcome: Sendable, Equatable {
    case created
    /// There is one already. It can be this call's own, when the answer to a first attempt was lost: read it back.
    case exists
}

/// An object's size in bytes and the hash of its content.
package struct ObjectDigest: Hashable, Sendable {
    package let bytes: Int
    package let sha256: SHA256Digest

    package init(bytes: Int, sha256: SHA256Digest) {
        self.bytes = bytes
        self.sha256 = sha256
    }
}

package struct ListedObject: Hashable, Sendable {
    package let key: ObjectKey
    package let bytes: Int
    /// When it was written, by the store's clock: milliseconds since 1970 UTC.
    package let modifiedAt: Int64

    package init(key: ObjectKey, bytes: Int, modifiedAt: Int64) {
        self.key = key
        self.bytes = bytes
        self.modifiedAt = modifiedAt
    }
}
