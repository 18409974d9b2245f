/// Takes an object's bytes as they come: hashes them and writes them to a file, if there is one.
final class S3Reception {
    private let target: (descriptor: Int32, path: String)?
    private let limit: Int
    private let place: String
    private var hash: SHA256? = SHA256()
    private var length = 0
    /// Why no more is taken: the file can't be written, or the object has no end where it should.
    private(set) var problem: CheckpointError?

    /// - Parameter limit: what the object has at most; more is damage.
    /// - Parameter place: how messages name the object.
    init(target: (descriptor: Int32, path: String)?, limit: Int, place: String) {
        self.target = target
        self.limit = limit
        self.place = place
    }

    /// Forgets what came, for another attempt; false, with a problem, when the file can't be emptied.
    func startOver() -> Bool {
        hash = SHA256()
        length = 0
        return attempt { (target) throws(CheckpointError) in try LocalFile.empty(target.descriptor, target.path) }
    }

    /// nil, or why no more is taken.
    func receive(_ bytes: UnsafeRawBufferPointer) -> String? {
        let position = length
        guard bytes.count <= limit - length else {
            problem = LocalFile.isTooLong(place, limit)
            return problem?.message
        }
        guard attempt({ (target) throws(CheckpointError) in try LocalFile.write(bytes, to: target.descriptor, target.path, at: position) })
        else {
            return problem?.message
        }
        hash?.update(bytes)
        length += bytes.count
        return nil
    }

    /// What came, after the file was synced.
    func finish() throws(CheckpointError) -> ObjectDigest {
        if let target { try LocalFile.sync(target.descriptor, target.path) }
        guard let hash = hash.take() else { throw CheckpointError(.bug, "an object's end was taken twice") }
        return ObjectDigest(bytes: length, sha256: hash.finish())
    }

    private func attempt(_ write: ((descriptor: Int32, path: String)) throws(CheckpointError) -> Void) -> Bool {
        guard let target else { return true }
        do throws(CheckpointError) {
            try write(target)
            return true
        } catch {
            problem = error
            return false
        }
    }
}
