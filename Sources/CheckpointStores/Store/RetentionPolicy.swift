import Engine

/// Which checkpoints a collection keeps, besides tagged ones and those too young.
package struct RetentionPolicy: Sendable, Equatable {
    /// So many of the newest that verify; never less than one. Those of one and the same state count once: starts that come
    /// to nothing must not push earlier states out.
    package var last: Int
    /// The newest of each of so many hours (UTC) that have one; likewise days.
    package var hourly: Int
    package var daily: Int

    package init(last: Int, hourly: Int = 0, daily: Int = 0) {
        self.last = max(1, last)
        self.hourly = max(0, hourly)
        self.daily = max(0, daily)
    }

    /// The kept ones of `manifests`, which come newest first.
    func kept(of manifests: [Manifest]) -> Set<ManifestNumber> {
        var kept: Set<ManifestNumber> = []
        var states: Set<State> = []
        for manifest in manifests where states.count < last {
            if states.insert(State(lineage: manifest.lineage, epoch: manifest.epoch)).inserted { kept.insert(manifest.number) }
        }
        for (count, span) in [(hourly, Int64(3_600_000)), (daily, Int64(86_400_000))] {
            var spans: Set<Int64> = []
            for manifest in manifests where spans.count < count {
                if spans.insert(manifest.createdAt / span).inserted { kept.insert(manifest.number) }
            }
        }
        return kept
    }

    private struct State: Hashable {
        let lineage: Lineage
        let epoch: Epoch
    }
}
