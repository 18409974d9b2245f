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

extension CheckpointStore {
    /// The numbers of all manifests that were not collected, newest first; damaged and incompatible ones too.
    public func liveNumbers() throws(CheckpointError) -> [ManifestNumber] {
        guard let newest = try newestNumber() else { return [] }
        var live: [ManifestNumber] = []
        var next: ManifestNumber? = newest
        let collected = try collectedRange()
        while let number = next, number > collected.through ?? ManifestNumber(0) {
            if try !isCollected(number) { live.append(number) }
            next = number.previous
        }
        for number in collected.live.reversed() where try !isCollected(number) { live.append(number) }
        return live
    }

    /// A number that was removed by hand counts as live: it is for `manifest` to say that it is gone.
    private func isCollected(_ number: ManifestNumber) throws(CheckpointError) -> Bool {
        do throws(CheckpointError) {
            guard case .tombstone? = try manifest(number) else { return false }
            return true
        } catch {
            guard [.corrupt, .incompatible, .invalid].contains(error.kind) else { throw error }
            return false
        }
    }

    private func collectedRange() throws(CheckpointError) -> CollectedRange {
        let none = CollectedRange(through: nil, live: [])
        guard let bytes = try objects.get(layout.collected, limit: CollectedRange.longest) else { return none }
        do throws(CheckpointError) {
            return try CheckedJSON.decode(CollectedRange.self, from: bytes, at: place(of: layout.collected))
        } catch {
            // Every number is read then, and the next collection writes it anew.
            return none
        }
    }

    func note(_ collected: CollectedRange) throws(CheckpointError) {
        _ = try objects.put(.bytes(try CheckedJSON.encode(collected)), at: layout.collected, onlyIfAbsent: false)
    }

    /// The manifest that a reference names. Throws kind `missing` when there is none, `corrupt` when it is damaged.
    public func resolve(_ reference: CheckpointReference) throws(CheckpointError) -> Manifest {
        switch reference {
        case .number(let number): return try live(number)
        case .tag(let name): return try live(try taggedNumber(name))
        case .latest(let back):
            let numbers = try liveNumbers()
            guard back < numbers.count else {
                throw CheckpointError(.missing, "\(location) has \(numbers.count) checkpoints; there is no latest\(back == 0 ? "" : "~\(back)")")
            }
            return try live(numbers[back])
        case .time(let time):
            for number in try liveNumbers() {
                let manifest = try live(number)
                if manifest.createdAt <= time { return manifest }
            }
            throw CheckpointError(.missing, "\(location) has no checkpoint from that time or before")
        }
    }

    func live(_ number: ManifestNumber) throws(CheckpointError) -> Manifest {
        switch try manifest(number) {
        case .manifest(let manifest): return manifest
        case .tombstone: throw CheckpointError(.missing, "checkpoint \(number) of \(location) was collected")
        case nil: throw CheckpointError(.missing, "\(location) has no checkpoint \(number)")
        }
    }
}
