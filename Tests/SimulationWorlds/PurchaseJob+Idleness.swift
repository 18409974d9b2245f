import Simulation
import TestSupport

extension PurchaseJob {
    /// Draws when a partition is idle. Idle ones follow the others' watermarks, at times that depend on the schedule: timers mind. When
    /// all are, open windows close: a record after a silence is late then, unless that was longer than a window and its disorder.
    func drawIdleness(of plan: inout SimulationPlan, _ random: inout SeededRandom) {
        let length = random.milliseconds(in: 12_100...16_000)
        if hasTimers { plan.idleAfter = Simulation.limit } else if self == .windowed { plan.idleAfter = length }
    }
}
