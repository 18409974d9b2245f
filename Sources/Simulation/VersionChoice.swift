import Engine

/// Which version of the job the next life runs: often the one before again, else any, forward or back.
struct VersionChoice {
    private let versions: [Topology]
    private var current = 0
    private var random: SeededRandom

    /// In percent of lives: the version stays.
    private static let stays = 30

    init(_ versions: [Topology], _ random: inout SeededRandom) {
        self.versions = versions
        // With one version nothing is drawn.
        self.random = versions.count > 1 ? random.fork() : random
        current = versions.count > 1 ? self.random.number(in: 0...versions.count - 1) : 0
    }

    mutating func next(_ parts: SimulationParts) -> Topology {
        guard versions.count > 1, !random.percent(VersionChoice.stays) else { return versions[current] }
        let before = current
        current = random.number(in: 0...versions.count - 1)
        if current != before {
            parts.count(current > before ? "upgrades" : "ways back")
            parts.trace.note("version \(versions[current].version) of the job follows \(versions[before].version)")
        }
        return versions[current]
    }
}
