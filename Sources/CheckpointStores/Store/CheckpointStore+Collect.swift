import Engine

extension CheckpointStore {
    /// Plans a collection: manifests that the policy, no tag and no age limit keeps, and objects that nothing kept reaches.
    /// Of the manifests that show a kept one to be abandoned, one stays.
    ///
    /// - Parameter olderThan: what is younger stays whatever the policy says, so that restores and uploads under way end
    ///   undisturbed; it must be longer than the longest of them.
    /// - Parameter now: milliseconds since 1970 UTC.
    package func planCollection(_ policy: RetentionPolicy, olderThan age: Duration, now: Int64) throws(CheckpointError) -> CollectionPlan {
        let before = now - age.components.seconds * 1000
        let tagged = Set(try tags().map(\.number))
        let stored = try storedObjects()
        let (manifests, unreadable) = try readLive()
        // Only one that is whole as far as a listing can tell counts, so that damaged ones never push the last good one out.
        let whole = manifests.filter { manifest in manifest.objects.allSatisfy { stored[layout.object($0)]?.bytes == $0.digest.bytes } }
        var kept = policy.kept(of: whole).union(tagged)
        for manifest in manifests where manifest.createdAt >= before || manifest.number == manifests.first?.number {
            kept.insert(manifest.number)
        }
        for manifest in manifests.reversed() where kept.contains(manifest.number) {
            let forks = manifests.filter(manifest.isAbandoned)
            if let fork = forks.first, !forks.contains(where: { kept.contains($0.number) }) { kept.insert(fork.number) }
        }
        var reached: Set<ObjectKey> = []
        for manifest in manifests where kept.contains(manifest.number) { reached.formUnion(manifest.objects.map(layout.object)) }
        // What unreadable manifests reach is not known, so nothing is removed while there are some.
        let garbage = unreadable.isEmpty ? stored.values.filter { !reached.contains($0.key) && $0.modifiedAt < before } : []
        return CollectionPlan(
            manifests: manifests.map(\.number).filter { !kept.contains($0) }.sorted(), objects: garbage.sorted { $0.key < $1.key },
            kept: manifests.map(\.number).filter(kept.contains).sorted(), unreadable: unreadable.sorted(),
            newest: (manifests.map(\.number) + unreadable).max(), before: before
        )
    }

    /// Carries a plan out: tombstones first, then, after another look at what is reachable now, the objects. What a crash
    /// in between leaves, the next collection removes. The result is what was done.
    package func collect(_ plan: CollectionPlan) throws(CheckpointError) -> CollectionPlan {
        var done = plan
        var buried: [ManifestNumber: [UInt8]] = [:]
        for number in plan.manifests { buried[number] = try bury(number) }
        // A tag that was set meanwhile takes its manifest back, and a checkpoint published on old objects takes those back.
        let tagged = Set(try tags().map(\.number))
        for (number, bytes) in buried where tagged.contains(number) {
            _ = try objects.put(.bytes(bytes), at: layout.manifest(number), onlyIfAbsent: false)
        }
        done.manifests.removeAll { tagged.contains($0) || buried[$0] == nil }
        let (manifests, unreadable) = try readLive()
        let reached = Set(manifests.flatMap { $0.objects.map(layout.object) })
        done.objects = unreadable.isEmpty ? plan.objects.filter { !reached.contains($0.key) } : []
        for object in done.objects { try objects.delete(object.key) }
        try note(
            CollectedRange(
                through: plan.newest, live: (manifests.map(\.number) + unreadable).filter { $0 <= plan.newest ?? .first }.sorted()))
        done.kept = manifests.map(\.number).sorted()
        return done
    }

    /// Plans and carries out.
    package func collect(_ policy: RetentionPolicy, olderThan age: Duration, now: Int64) throws(CheckpointError) -> CollectionPlan {
        try collect(try planCollection(policy, olderThan: age, now: now))
    }

    /// Puts the tombstone over a manifest; the bytes that it had, nil when it was collected already.
    private func bury(_ number: ManifestNumber) throws(CheckpointError) -> [UInt8]? {
        let key = layout.manifest(number)
        guard let bytes = try objects.get(key, limit: Manifest.longest),
            case .manifest(let manifest) = try ManifestOrTombstone.read(bytes, number: number, job: job, at: place(of: key))
        else { return nil }
        let tombstone = try CheckedJSON.encode(Tombstone(number: number, sha256: manifest.sha256))
        _ = try objects.put(.bytes(tombstone), at: key, onlyIfAbsent: false)
        return bytes
    }

    /// Live manifests and the numbers of those that can't be read, newest first.
    private func readLive() throws(CheckpointError) -> (manifests: [Manifest], unreadable: [ManifestNumber]) {
        var manifests: [Manifest] = []
        var unreadable: [ManifestNumber] = []
        for checkpoint in try liveCheckpoints() {
            switch checkpoint.manifest {
            case .success(let manifest): manifests.append(manifest)
            case .failure: unreadable.append(checkpoint.number)
            }
        }
        return (manifests, unreadable)
    }

    private func storedObjects() throws(CheckpointError) -> [ObjectKey: ListedObject] {
        var stored: [ObjectKey: ListedObject] = [:]
        for folder in layout.objectFolders {
            for object in try listAll(folder) { stored[object.key] = object }
        }
        return stored
    }
}

/// What a collection will do.
package struct CollectionPlan: Sendable, Equatable {
    /// Manifests that become tombstones, in rising order.
    package var manifests: [ManifestNumber]
    /// Objects that no kept manifest reaches.
    package var objects: [ListedObject]
    /// Manifests that stay, in rising order.
    package var kept: [ManifestNumber]
    /// Damaged and incompatible manifests, which stay too: they, and the objects that only they reach, are for a person to judge.
    package var unreadable: [ManifestNumber]
    /// The newest manifest that the plan knows.
    package var newest: ManifestNumber?
    /// Objects written at this time or later stay, in milliseconds since 1970 UTC.
    package var before: Int64

    /// What removing the objects frees.
    package var bytes: Int {
        objects.reduce(0) { sum, object in sum.addingReportingOverflow(object.bytes).overflow ? .max : sum + object.bytes }
    }
}
