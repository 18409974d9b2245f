/// A checkpoint's objects as local files.
package struct FetchedCheckpoint: Hashable, Sendable {
    /// The path of the base: a whole state file.
    package let base: String
    /// The paths of the deltas in the order in which they are applied.
    package let deltas: [String]
}

extension CheckpointStore {
    /// Copies a checkpoint's objects into a directory that is there, as `base.db`, `delta-1.db`, …, which must not be there.
    ///
    /// Every hash is checked. Throws kind `corrupt`, naming the object, or `missing` when the checkpoint was collected
    /// meanwhile; the files fetched so far are removed then.
    package func fetch(_ manifest: Manifest, into directory: String) throws(CheckpointError) -> FetchedCheckpoint {
        let names = manifest.objects.indices.map { $0 == 0 ? "base.db" : "delta-\($0).db" }
        var files: [String] = []
        do throws(CheckpointError) {
            for (object, name) in zip(manifest.objects, names) {
                let file = "\(directory)/\(name)"
                let found = try objects.download(layout.object(object), into: file, limit: object.digest.bytes)
                if found != nil { files.append(file) }
                try check(found, against: object)
            }
        } catch {
            for file in files { LocalFile.removeBestEffort(file) }
            if error.kind == .corrupt, case .tombstone? = try self.manifest(manifest.number) {
                throw CheckpointError(
                    .missing, "checkpoint \(manifest.number) of \(location) was collected while it was read; use a newer one", cause: error)
            }
            throw error
        }
        return FetchedCheckpoint(base: files[0], deltas: Array(files.dropFirst()))
    }
}
