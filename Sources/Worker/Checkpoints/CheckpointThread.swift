import Engine
import Foundation
import Glibc

/// The thread that puts finished checkpoints into the archive, one at a time, while epochs go on.
///
/// `@unchecked Sendable`: the members are constants and monitors.
final class CheckpointThread: @unchecked Sendable {
    private struct Orders {
        var next: FinishedCheckpoint?
        var isStopped = false
    }

    private let archive: any CheckpointArchive
    private let orders = Monitor(Orders())
    private let isRunning = Monitor(true)
    private let finished: @Sendable (Result<PublishedCheckpoint, any Error>) -> Void

    /// `afterwards` runs when a checkpoint is in the archive and `finished` was told of it.
    init(
        _ archive: any CheckpointArchive, afterwards: @escaping @Sendable () -> Void,
        finished: @escaping @Sendable (Result<PublishedCheckpoint, any Error>) -> Void
    ) {
        self.archive = archive
        self.finished = finished
        let thread = Thread { [self] in
            run(afterwards)
            isRunning.update { $0 = false }
        }
        thread.name = "checkpoints"
        thread.start()
    }

    func publish(_ checkpoint: FinishedCheckpoint) { orders.update { $0.next = checkpoint } }

    /// Ends the thread when what it does is done: a checkpoint under way can't be called back.
    func stop(within limit: Duration) {
        orders.update { $0.isStopped = true }
        _ = isRunning.wait(upTo: limit) { $0 ? nil : true }
    }

    private func run(_ afterwards: () -> Void) {
        while true {
            let waited = orders.wait(upTo: .seconds(3600)) { orders -> FinishedCheckpoint?? in
                if orders.isStopped { return .some(nil) }
                guard let next = orders.next else { return nil }
                orders.next = nil
                return .some(next)
            }
            guard let waited else { continue }
            guard let checkpoint = waited else { return }
            let result = Result { try archive.publish(checkpoint) }
            if checkpoint.content != .nothing { unlink(checkpoint.file) }
            finished(result)
            if case .success = result { afterwards() }
        }
    }
}
