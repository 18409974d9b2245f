/// What the loop goes by; shipped is Engine's `Coordinator`.
package protocol RunCoordinator {
    var epoch: Epoch { get }
    var nextCut: Duration { get }
    var outbox: Outbox { get }
    var waitingBytes: Int { get }
    var awaitsCheckpoint: Bool { get }
    var hasCutEverything: Bool { get }
    mutating func start() -> [Coordinator.Action]
    mutating func tick(now: Duration, isFull: Bool) -> [Coordinator.Action]
    mutating func tasksCut(_ cut: [Coordinator.TaskReport], now: Duration, wallClock: Int64) -> [Coordinator.Action]
    mutating func committed(_ cut: EpochCut, taking duration: Duration) -> [Coordinator.Action]
    mutating func delivered(_ id: SinkBatchID) -> [Coordinator.Action]
    mutating func covered(through epoch: Epoch) -> [Coordinator.Action]
    mutating func reachedEnd() -> [Coordinator.Action]
    mutating func drain() -> [Coordinator.Action]
}

extension Coordinator: RunCoordinator {}
