import Engine
import Foundation
import Logging

/// Asks the archive every second, on a thread of its own, whether the job is still this worker's, so that deliveries know
/// without waiting for an archive that answers late.
///
/// `@unchecked Sendable`: the members are constants and monitors.
final class OwnershipWatch: @unchecked Sendable {
    private struct State {
        var confirmed: Duration
        var asked: Duration?
        var failed: Duration?
        var fenced: (any Error)?
        var isStopped = false
    }

    private let archive: any CheckpointArchive
    private let durability: CheckpointSettings.Durability
    private let state: Monitor<State>
    private let logger: Logger
    private let lost: @Sendable (any Error) -> Void

    private static let interval = Duration.seconds(1)
    /// For how long an answer holds.
    private static let freshness = Duration.seconds(2)
    /// With local durability an archive that takes longer to answer counts as one that can't be asked.
    private static let patience = Duration.seconds(3)
    /// For how long it then counts as such.
    private static let failureHolds = Duration.seconds(5)
    /// Complaints about the archive come no more often.
    private static let complaintInterval = Duration.seconds(60)

    /// `lost` is told when another worker has the job.
    init(_ settings: CheckpointSettings, logger: Logger, lost: @escaping @Sendable (any Error) -> Void) {
        archive = settings.archive
        durability = settings.durability
        state = Monitor(State(confirmed: Clock.now))
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

    var isLost: Bool { state.look { $0.fenced != nil } }

    /// True when a batch may be delivered, false when that has to be asked again soon. Throws when another worker has the job.
    func mayDeliver() throws -> Bool {
        try state.look { state in
            if let error = state.fenced { throw error }
            let now = Clock.now
            if now - state.confirmed <= OwnershipWatch.freshness { return true }
            guard durability == .local else { return false }
            if let failed = state.failed, now - failed <= OwnershipWatch.failureHolds { return true }
            return state.asked.map { now - $0 > OwnershipWatch.patience } ?? false
        }
    }

    private func run() {
        var complained: Duration?
        while !state.look({ $0.isStopped }) {
            state.update { $0.asked = Clock.now }
            do {
                try archive.confirmOwnership()
                state.update { ($0.confirmed, $0.failed) = (Clock.now, nil) }
            } catch let error as any Failure where error.kind == .fenced {
                state.update { $0.fenced = error }
                return lost(error)
            } catch {
                state.update { $0.failed = Clock.now }
                if complained.map({ Clock.now - $0 > OwnershipWatch.complaintInterval }) ?? true {
                    logger.error("checkpoints: the store can't be asked whether the job is still this worker's: \(error)")
                    complained = Clock.now
                }
            }
            state.update { $0.asked = nil }
            _ = state.wait(upTo: OwnershipWatch.interval) { $0.isStopped ? true : nil }
        }
    }
}
