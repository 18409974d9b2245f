import Engine

/// What came of a simulation.
package struct SimulationReport {
    /// What broke a promise; empty when all was kept.
    package let violations: [String]
    private let notes: SimulationTrace?
    /// How often things happened that a simulation is made for.
    package let counts: [String: Int]
    /// In virtual time.
    package let length: Duration
    /// How many things happened.
    package let events: Int

    init(violations: [String], trace: SimulationTrace?, counts: [String: Int], length: Duration, events: Int) {
        self.violations = violations
        notes = trace
        self.counts = counts
        self.length = length
        self.events = events
    }

    /// Of a simulation that could not be run.
    package init(failure: String) { self.init(violations: [failure], trace: nil, counts: [:], length: .zero, events: 0) }

    /// The last things that happened, with their times.
    package var trace: [String] { notes?.lines ?? [] }

    /// The whole story of a failure, for a test's message.
    package func story(seed: UInt64) -> String {
        (["seed \(seed):"] + violations.prefix(20) + ["what happened last:"] + trace.suffix(80)).joined(separator: "\n  ")
    }
}
