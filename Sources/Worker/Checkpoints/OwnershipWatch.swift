import Engine
import Foundation
import Logging

/// Asks the archive every second, on a thread of its own, whether the job is still this worker's, so that deliveries know
/// without waiting for an archive that answers late.
///
/// `@unchecked Sendable`: the members are constants and monitors.
final class OwnershipWatch: @unchecked Sendable {
    private struct State {
        var standing: OwnershipStanding
        var fenced: (any Error)?
        var isStopped = false
    }

    private let archive: any CheckpointArchive
    private let state: Monitor<State>
    private let logger: Logger
    private let lost: @Sendable (any Error) -> Void

    /// Complaints about the archive come no more often.
    private static let complaintInterval = Duration.seconds(60)

    /// `lost` is told when another worker has the job.
    init(_ settings: CheckpointSettings, logger: Logger, lost: @escaping @Sendable (any Error) -> Void) {
        archive = settings.archive
        state = Monitor(State(standing: OwnershipStanding(durability: settings.durability, now: Clock.now)))
        self.logger = logger
        self.lost = lost
    }

    /// To be called once.
    func start() {
        let thread = Thread { [self] in run() }
        thread.name = "ownership"
        thread.start()
    }

    /// Ends the thread once its question is answered; nobody waits for that.
    func stop() { state.update { $0.isStopped = true } }

    /// True when a delivery under way must end.
    var mustHold: Bool { state.look { $0.fenced != nil || $0.standing.mustHold(now: Clock.now) } }

    /// True when a batch may be delivered, false when that has to be asked again soon. Throws when another worker has the job.
    func mayDeliver() throws -> Bool {
        try state.look { state in
            if let error = state.fenced { throw error }
            return state.standing.mayDeliver(now: Clock.now)
        }
    }

    private func run() {
        var complained: Duration?
        while !state.look({ $0.isStopped }) {
            state.update { $0.standing.asks(now: Clock.now) }
            do {
                try archive.confirmOwnership()
                state.update { $0.standing.confirmed(now: Clock.now) }
            } catch let error as any Failure where error.kind == .fenced {
                state.update { $0.fenced = error }
                return lost(error)
            } catch {
                state.update { $0.standing.failed(now: Clock.now) }
                if complained.map({ Clock.now - $0 > OwnershipWatch.complaintInterval }) ?? true {
                    logger.error("checkpoints: the store can't be asked whether the job is still this worker's: \(error)")
                    complained = Clock.now
                }
            }
            _ = state.wait(upTo: OwnershipStanding.interval) { $0.isStopped ? true : nil }
        }
    }
}
