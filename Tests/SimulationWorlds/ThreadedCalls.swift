import Dispatch
import Foundation
import Simulation

/// Runs blocking code on threads of its own, of which one at a time goes on while everybody else waits: as good as one
/// thread, so a seed gives the same run for ever.
///
/// `@unchecked Sendable`: whoever uses the members has the one right to run.
final class ThreadedCalls: CallRunner, @unchecked Sendable {
    /// `@unchecked Sendable`: as above.
    private final class Lane: @unchecked Sendable {
        let mayRun = DispatchSemaphore(value: 0)
        /// What to run next; nil to end the thread.
        var body: (() -> Void)?
    }

    private let simulationMayRun = DispatchSemaphore(value: 0)
    private var idle: [Lane] = []
    private var running: Lane?
    /// Those that wait, to be let go at the end.
    private var waiting: [ObjectIdentifier: Lane] = [:]
    private var isOver = false

    func begin(_ body: @escaping () -> Void) {
        precondition(running == nil, "a call begins within a call")
        let lane = idle.popLast() ?? makeLane()
        lane.body = body
        enter(lane)
    }

    func wait(_ arrange: (_ goOn: @escaping () -> Void) -> Void) {
        guard let lane = running, !isOver else { return }
        waiting[ObjectIdentifier(lane)] = lane
        arrange { [self] in
            if waiting.removeValue(forKey: ObjectIdentifier(lane)) != nil { enter(lane) }
        }
        simulationMayRun.signal()
        lane.mayRun.wait()
    }

    /// Ends every call and thread: what waits goes on at once, and its process must be gone.
    func end() {
        isOver = true
        for lane in waiting.values { enter(lane) }
        waiting = [:]
        for lane in idle {
            lane.body = nil
            lane.mayRun.signal()
        }
        idle = []
    }

    /// Lets a lane run until it waits or its body ends.
    private func enter(_ lane: Lane) {
        running = lane
        lane.mayRun.signal()
        simulationMayRun.wait()
        running = nil
    }

    private func makeLane() -> Lane {
        let lane = Lane()
        Thread { [self] in
            while true {
                lane.mayRun.wait()
                guard let body = lane.body else { return }
                body()
                lane.body = nil
                idle.append(lane)
                simulationMayRun.signal()
            }
        }.start()
        return lane
    }
}
