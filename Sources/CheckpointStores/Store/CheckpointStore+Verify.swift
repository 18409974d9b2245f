import Engine

extension CheckpointStore {
    /// Checks that the manifest's objects are there: their sizes, or, `deep`, their whole content. Throws kind `corrupt` for
    /// the first that is not as it should be, naming it.
    package func verify(_ manifest: Manifest, deep: Bool) throws(CheckpointError) {
        for object in manifest.objects { try check(object, deep: deep) }
    }

    /// The newest manifest that verifies, but for the `unusable` ones; those that don't are told to `refused`, newest first.
    /// nil when there is none.
    ///
    /// Errors of kinds other than `corrupt` and `missing` end the search, `incompatible` too: what a newer version wrote is
    /// whole, and going back behind it is a person's decision.
    package func newestVerified(
        deep: Bool, except unusable: Set<ManifestNumber> = [], refused: (ManifestNumber, CheckpointError) -> Void
    ) throws(CheckpointError) -> Manifest? {
        for checkpoint in try liveCheckpoints() where !unusable.contains(checkpoint.number) {
            do throws(CheckpointError) {
                let manifest = try checkpoint.manifest.get()
                try verify(manifest, deep: deep)
                return manifest
            } catch {
                guard [.corrupt, .missing].contains(error.kind) else { throw error }
                refused(checkpoint.number, error)
            }
        }
        return nil
    }

    /// Checks that the manifest was published after the one before it as it is now. Throws kind `corrupt` when not: one of
    /// the two was changed later, or comes from another history. What the manifest itself holds can be right all the same.
    package func verifyChain(_ manifest: Manifest) throws(CheckpointError) {
        guard let parent = manifest.parent, try link(parent.number) != parent else { return }
        throw CheckpointError(
            .corrupt,
            "\(place(of: layout.manifest(parent.number))) is not the manifest that \(manifest.number) was published after: their hashes differ; use another checkpoint"
        )
    }

    /// Throws kind `corrupt` unless the object is there and has its size, or, `deep`, its content.
    func check(_ object: ManifestObject, deep: Bool) throws(CheckpointError) {
        let key = layout.object(object)
        if deep {
            try check(try objects.download(key, into: nil, limit: object.digest.bytes), against: object)
        } else {
            let listed = try objects.list(prefix: key.text, after: nil, limit: 1).first
            guard let listed, listed.key == key else { throw isGone(object) }
            guard listed.bytes == object.digest.bytes else {
                throw CheckpointError(
                    .corrupt,
                    "\(place(of: key)) is damaged: it has \(listed.bytes) bytes instead of \(object.digest.bytes); use another checkpoint")
            }
        }
    }

    func check(_ found: ObjectDigest?, against object: ManifestObject) throws(CheckpointError) {
        guard let found else { throw isGone(object) }
        guard found == object.digest else {
            throw CheckpointError(
                .corrupt,
                "\(place(of: layout.object(object))) is damaged: \(found.bytes) bytes with SHA-256 \(found.sha256) instead of \(object.digest.bytes); use another checkpoint"
            )
        }
    }

    private func isGone(_ object: ManifestObject) -> CheckpointError {
        CheckpointError(.corrupt, "\(place(of: layout.object(object))) is gone; use another checkpoint")
    }
}
