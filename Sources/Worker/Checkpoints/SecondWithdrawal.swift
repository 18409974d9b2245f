import Engine
import Foundation

/// Looks once more for what was delivered after the checkpoint that a state was restored from, on a thread of its own: a
/// sink that is away holds up no checkpoints.
final class SecondWithdrawal: Sendable {
    private enum Progress {
        case idle, underWay, done
    }

    private let progress = Monitor(Progress.idle)
    private let withdraw: @Sendable (WithdrawalPlan) -> Bool

    /// `withdraw`: false when it was cancelled or failed.
    init(_ withdraw: @escaping @Sendable (WithdrawalPlan) -> Bool) { self.withdraw = withdraw }

    var isDone: Bool { progress.look { $0 == .done } }

    /// Does nothing while it is under way.
    func begin(_ plan: WithdrawalPlan) {
        let isIdle = progress.update { progress in
            defer { if progress == .idle { progress = .underWay } }
            return progress == .idle
        }
        guard isIdle else { return }
        let thread = Thread { [progress, withdraw] in
            let isDone = withdraw(plan)
            progress.update { $0 = isDone ? .done : .idle }
        }
        thread.name = "withdrawal"
        thread.start()
    }

    /// Once it was told to stop: false when it goes on for longer than `limit`.
    func awaitEnd(upTo limit: Duration) -> Bool { progress.wait(upTo: limit) { $0 == .underWay ? nil : true } ?? false }
}
