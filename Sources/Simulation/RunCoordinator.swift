import Engine

/// What drives a simulated worker: Engine's `Coordinator`, or a broken one that a test puts in its place.
public protocol RunCoordinator {
    var nextCut: Duration { get }
    var epoch: Epoch { get }
    var awaitsCheckpoint: Bool { get }
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
