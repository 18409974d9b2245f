import Engine
import Foundation

/// Asks the leaders of quiet partitions, now and then, where their logs end: a partition is only idle while they answer.
///
/// `@unchecked Sendable`: the members are constants and a monitor.
final class LeaderProbe: @unchecked Sendable {
    private struct State {
        var candidates: Set<TopicPartition> = []
        var isStopped = false
        var isRunning = true
    }

    /// How long one question may take: a stop waits for it.
    private static let askLimit = Duration.seconds(2)

    private let source: any RecordSource
    private let interval: Duration
    private let state = Monitor(State())
    private let answered: @Sendable ([TopicPartition: Int64], Duration) -> Void

    init(_ source: any RecordSource, interval: Duration, answered: @escaping @Sendable ([TopicPartition: Int64], Duration) -> Void) {
        self.source = source
        self.interval = interval
        self.answered = answered
    }

    func start() {
        let thread = Thread { [self] in
            while state.wait(upTo: interval, { $0.isStopped ? true : nil }) == nil { ask() }
            state.update { $0.isRunning = false }
        }
        thread.name = "leader probe"
        thread.start()
    }

    private func ask() {
        let candidates = state.look { $0.candidates.sorted() }
        guard !candidates.isEmpty else { return }
        answered(source.ends(of: candidates, timeout: min(interval, LeaderProbe.askLimit)), Clock.now)
    }

    func look(at candidates: Set<TopicPartition>) { state.look { $0.candidates = candidates } }

    /// Asks nothing more; a question under way goes on.
    func end() { state.update { $0.isStopped = true } }

    func stop() {
        end()
        while state.wait(upTo: .seconds(1), { $0.isRunning ? nil : true }) == nil {}
    }
}
