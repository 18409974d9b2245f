import Engine

/// Which numbers were collected: all up to `through` except the `live` ones. It only makes finding the others fast: it is
/// written after a collection, and one that is missing or older only costs reads.
struct CollectedRange: Codable, Equatable {
    var format = Manifest.format
    var through: ManifestNumber?
    /// In rising order.
    var live: [ManifestNumber]

    /// A longer one is damaged.
    static let longest = 16 << 20
}

/// A checkpoint that was not collected.
package struct LiveCheckpoint: Sendable {
    package let number: ManifestNumber
    /// An error is of kind `corrupt`, `incompatible` or `invalid`, or `missing` when somebody removed the manifest.
    package let manifest: Result<Manifest, CheckpointError>

    package init(number: ManifestNumber, manifest: Result<Manifest, CheckpointError>) {
        self.number = number
        self.manifest = manifest
    }

    /// nil when the manifest can't be read for one of `reasons`; for any other, that is thrown.
    package func manifest(unless reasons: Set<FailureKind>) throws(CheckpointError) -> Manifest? {
        switch manifest {
        case .success(let manifest): return manifest
        case .failure(let error):
            guard reasons.contains(error.kind) else { throw error }
            return nil
        }
    }
}

extension CheckpointStore {
    /// A job that wrote a checkpoint a second has as many in seven weeks; collections leave far fewer to look through.
    static let mostLookedThrough: UInt64 = 1 << 22

    /// All checkpoints that were not collected, newest first; damaged and incompatible ones too.
    package func liveCheckpoints() throws(CheckpointError) -> [LiveCheckpoint] {
        guard let newest = try newestNumber() else { return [] }
        var found: [LiveCheckpoint] = []
        var next: ManifestNumber? = newest
        let collected = try collectedRange(upTo: newest)
        while let number = next, number > collected.through ?? ManifestNumber(0) {
            guard newest.number - number.number < CheckpointStore.mostLookedThrough else {
                throw CheckpointError(
                    .corrupt,
                    "\(location) has more than \(CheckpointStore.mostLookedThrough) manifests that nothing says were collected: it is no store of checkpoints, or somebody answers in its place; see to checkpoints.store and AWS_ENDPOINT_URL"
                )
            }
            if let live = try liveCheckpoint(number) { found.append(live) }
            next = number.previous
        }
        for number in collected.live.reversed() where number <= newest {
            if let live = try liveCheckpoint(number) { found.append(live) }
        }
        return found
    }

    /// The numbers of all checkpoints that were not collected, newest first.
    package func liveNumbers() throws(CheckpointError) -> [ManifestNumber] { try liveCheckpoints().map(\.number) }

    /// nil for one that was collected.
    private func liveCheckpoint(_ number: ManifestNumber) throws(CheckpointError) -> LiveCheckpoint? {
        do throws(CheckpointError) {
            switch try manifest(number) {
            case .manifest(let manifest): return LiveCheckpoint(number: number, manifest: .success(manifest))
            case .tombstone: return nil
            case nil:
                return LiveCheckpoint(
                    number: number,
                    manifest: .failure(
                        CheckpointError(.missing, "\(place(of: layout.manifest(number))) is not there any more; somebody removed it")))
            }
        } catch {
            guard [.corrupt, .incompatible].contains(error.kind) else { throw error }
            return LiveCheckpoint(number: number, manifest: .failure(error))
        }
    }

    private func collectedRange(upTo newest: ManifestNumber) throws(CheckpointError) -> CollectedRange {
        let none = CollectedRange(through: nil, live: [])
        do throws(CheckpointError) {
            guard let bytes = try objects.get(layout.collected, limit: CollectedRange.longest) else { return none }
            let found = try CheckedJSON.decode(CollectedRange.self, from: bytes, at: place(of: layout.collected))
            return found.through ?? newest <= newest ? found : none
        } catch {
            // Every number is read then, and the next collection writes it anew.
            guard [.corrupt, .bug].contains(error.kind) else { throw error }
            return none
        }
    }

    func note(_ collected: CollectedRange) throws(CheckpointError) {
        _ = try objects.put(.bytes(try CheckedJSON.encode(collected)), at: layout.collected, onlyIfAbsent: false)
    }

    /// The manifest that a reference names. Throws kind `missing` when there is none, saying what there is, `corrupt` when it is damaged.
    package func resolve(_ reference: CheckpointReference) throws(CheckpointError) -> Manifest { try live(try number(of: reference)) }

    /// The number that a reference names, whether or not its manifest can be read. Throws kind `missing` when it names none.
    package func number(of reference: CheckpointReference) throws(CheckpointError) -> ManifestNumber {
        switch reference {
        case .number(let number): return number
        case .tag(let name): return try taggedNumber(name)
        case .latest(let back):
            let numbers = try liveNumbers()
            guard !numbers.isEmpty else { throw try noCheckpoints() }
            guard back < numbers.count else {
                throw CheckpointError(
                    .missing, "\(location) has \(numbers.count) checkpoints; there is no latest\(back == 0 ? "" : "~\(back)")")
            }
            return numbers[back]
        case .time(let time):
            var oldest: Manifest?
            for checkpoint in try liveCheckpoints() {
                let manifest = try checkpoint.manifest.get()
                if manifest.createdAt <= time { return manifest.number }
                oldest = manifest
            }
            guard let oldest else { throw try noCheckpoints() }
            throw CheckpointError(
                .missing,
                "\(location) has no checkpoint from that time or before; the oldest is \(oldest.number), of \(EventTime(milliseconds: oldest.createdAt).text)"
            )
        }
    }

    func live(_ number: ManifestNumber) throws(CheckpointError) -> Manifest {
        switch try manifest(number) {
        case .manifest(let manifest): return manifest
        case .tombstone: throw CheckpointError(.missing, "checkpoint \(number) of \(location) was collected")
        case nil: throw try isMissing(number)
        }
    }
}
