import Engine

extension CheckpointStore {
    /// Uploading objects up to this size costs less than looking first whether they are still wanted: 1 MiB.
    static let smallObject = 1 << 20

    /// Uploads files, verifies what the store has of them, and creates the manifest after `draft.parent`.
    ///
    /// Publishing the same draft and files again is fine, also after an error of kind `retry`, and gives the same manifest.
    /// Errors: `fenced` when another writer published meanwhile: stop. `retry` when the store is down or its answer was
    /// lost: the manifest may be there; also when an earlier draft of this same writer turned out to be there: look for
    /// the newest manifest again and publish on top of it. `incompatible` when the parent is a newer version's. `corrupt` when the store gives back other bytes than it was given.
    package func publish(_ draft: ManifestDraft, files: [NewObject]) throws(CheckpointError) -> Manifest {
        let inherited = try objectsOfParent(of: draft)
        var added: [ManifestObject] = []
        for file in files { added.append(try described(file)) }
        let (manifest, bytes) = try Manifest.made(from: draft, job: job, objects: draft.retained + added)
        let key = layout.manifest(manifest.number)
        // Looking first saves a large upload when the race is lost already.
        if added.contains(where: { $0.digest.bytes > CheckpointStore.smallObject }),
            let found = try objects.get(key, limit: Manifest.longest)
        {
            return try resolve(found, ours: manifest, bytes)
        }
        for (file, object) in zip(files, added) { try upload(file, as: object) }
        let known = Set(inherited + added)
        let borrowed = manifest.objects.filter { !known.contains($0) }
        for object in borrowed { try check(object, deep: false) }
        let outcome = try objects.put(.bytes(bytes), at: key, onlyIfAbsent: true)
        guard let found = try objects.get(key, limit: Manifest.longest) else {
            throw CheckpointError(.corrupt, "\(place(of: key)) is not there after the store said it was (\(outcome)); don't use this store")
        }
        let result = try resolve(found, ours: manifest, bytes)
        // A collection that ran at the same time may not have known that these are wanted again.
        for object in borrowed { try check(object, deep: false) }
        published.withLock { $0 = result }
        return result
    }

    /// The objects of the parent, which nobody collects while it is the newest.
    private func objectsOfParent(of draft: ManifestDraft) throws(CheckpointError) -> [ManifestObject] {
        guard let parent = draft.parent else { return [] }
        if let last = published.withLock({ $0 }), last.link == parent { return last.objects }
        guard try link(parent.number) == parent else {
            throw CheckpointError(
                .fenced,
                "\(place(of: layout.manifest(parent.number))) is not the manifest that this writer knows any more: another writer has the job \(job)"
            )
        }
        do throws(CheckpointError) {
            guard case .manifest(let manifest)? = try manifest(parent.number) else { return [] }
            return manifest.objects
        } catch {
            guard error.kind == .corrupt else { throw error }
            return []
        }
    }

    private func described(_ file: NewObject) throws(CheckpointError) -> ManifestObject {
        let digest = try LocalFile.digest(of: file.file)
        return ManifestObject(kind: file.kind, key: StoreLayout.objectName(file.kind, digest.sha256), digest: digest, epoch: file.epoch)
    }

    /// An object that is there already is written again: that makes it new for a collection, and whole if it was damaged.
    private func upload(_ file: NewObject, as object: ManifestObject) throws(CheckpointError) {
        _ = try objects.put(.file(path: file.file, object.digest), at: layout.object(object), onlyIfAbsent: false)
        try check(object, deep: true)
    }

    private func resolve(_ found: [UInt8], ours: Manifest, _ bytes: [UInt8]) throws(CheckpointError) -> Manifest {
        noteSeen(ours.number.number)
        if found == bytes { return ours }
        let place = place(of: layout.manifest(ours.number))
        guard case .manifest(let other) = try ManifestOrTombstone.read(found, number: ours.number, job: job, at: place),
            other.writer == ours.writer
        else {
            throw CheckpointError(.fenced, "\(place) was published by another writer: it has the job \(job) now; stop this one")
        }
        throw CheckpointError(
            .retry,
            "\(place) is an earlier attempt of this same writer (epoch \(other.epoch)); take it as the newest and publish on top of it")
    }
}
