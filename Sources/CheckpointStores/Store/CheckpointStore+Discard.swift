import Engine

extension CheckpointStore {
    /// Puts a tombstone over a manifest that is damaged, so that collections can go on; what only it reached becomes garbage.
    ///
    /// Throws kind `invalid` for the newest one, after which nobody has published yet, and for one that can be read;
    /// `missing` when there is none.
    package func discard(_ number: ManifestNumber) throws(CheckpointError) {
        let key = layout.manifest(number)
        guard let stored = try stored(number) else { throw CheckpointError(.missing, "\(location) has no checkpoint \(number)") }
        guard try newestNumber() != number else {
            throw CheckpointError(
                .invalid, "\(place(of: key)) is the newest manifest; it can be discarded when the job has written another one")
        }
        guard try isDamaged(stored, number) else {
            throw CheckpointError(.invalid, "\(place(of: key)) is not damaged; let a collection decide about it")
        }
        let tombstone = Tombstone(number: number, sha256: try hash(rememberedBy: number.next) ?? stored.sha256)
        _ = try objects.put(.bytes(try CheckedJSON.encode(tombstone)), at: key, onlyIfAbsent: false)
    }

    private func isDamaged(_ stored: StoredManifest, _ number: ManifestNumber) throws(CheckpointError) -> Bool {
        guard case .bytes(let bytes) = stored else { return true }
        do throws(CheckpointError) {
            _ = try ManifestOrTombstone.read(bytes, number: number, job: job, at: place(of: layout.manifest(number)))
            return false
        } catch {
            guard error.kind == .corrupt else { throw error }
            return true
        }
    }

    /// What the next manifest says of the one before it, so that the chain holds on; nil when it doesn't tell any more.
    private func hash(rememberedBy next: ManifestNumber) throws(CheckpointError) -> SHA256Digest? {
        do throws(CheckpointError) {
            guard case .manifest(let manifest)? = try manifest(next) else { return nil }
            return manifest.parent?.sha256
        } catch {
            guard error.kind == .corrupt || error.kind == .incompatible else { throw error }
            return nil
        }
    }
}
