import CommandLineParts
import Dispatch
import Synchronization
import Worker

/// Shows on a terminal how far the reference topics are read while a run starts; elsewhere it shows nothing.
///
/// `@unchecked Sendable`: the members never change, the timer takes calls of any thread, and the bar is behind its lock.
final class LoadingProgress: @unchecked Sendable {
    private let worker: Worker
    private let bar = Mutex(Bar())
    private let timer: any DispatchSourceTimer

    private struct Bar {
        var shown: ProgressBar?
        var isFinished = false
    }

    private static let interval = DispatchTimeInterval.milliseconds(100)

    init(_ worker: Worker) {
        self.worker = worker
        timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "loading-progress"))
        timer.setEventHandler { [weak self] in self?.look() }
        timer.schedule(deadline: .now() + LoadingProgress.interval, repeating: LoadingProgress.interval)
        timer.resume()
    }

    /// Ends the bar with a last look, so that a short start is shown too.
    func stop() {
        timer.cancel()
        look(isLast: true)
    }

    private func look(isLast: Bool = false) {
        let status = worker.status
        guard !status.references.isEmpty else { return }
        let read = Int(status.references.reduce(0) { $0 + $1.loading.read })
        let total = Int(status.references.reduce(0) { $0 + ($1.loading.total ?? $1.loading.read) })
        let isOver = isLast || status.phase != .starting
        bar.withLock { bar in
            guard !bar.isFinished, total > 0 else { return }
            var shown = bar.shown ?? ProgressBar("reference records", total: total)
            if isOver { shown.finish(read) } else { shown.show(read) }
            bar = Bar(shown: shown, isFinished: isOver)
        }
        if isOver { timer.cancel() }
    }
}
