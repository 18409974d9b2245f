import Engine
import Foundation

/// Asks the leaders of quiet partitions, now and then, where their logs end: a partition is only idle while they answer.
///
/// `@unchecked Sendable`: the members are constants and a monitor.
final class LeaderProbe: @unchecked Sendable {
    private struct State {
        var candidates: Set<TopicPartition> = []
        var transactions = OpenTransactions()
        var isStopped = false
        var isRunning = true
    }

    /// What waits behind an open transaction is told within this, whatever the interval.
    private static let longestInterval = Duration.seconds(15)
    /// How long one question may take: a stop waits for it.
    private static let askLimit = Duration.seconds(2)

    private let source: any RecordSource
    private let interval: Duration
    private let state = Monitor(State())
    private let answered: @Sendable ([TopicPartition: Int64], Duration) -> Void
    private let told: @Sendable ([WorkerStatus.TransactionWait]) -> Void

    /// `answered`: where the logs of quiet partitions end. `told`: which of them stand before an open transaction, after each question.
    init(
        _ source: any RecordSource, interval: Duration, answered: @escaping @Sendable ([TopicPartition: Int64], Duration) -> Void,
        told: @escaping @Sendable ([WorkerStatus.TransactionWait]) -> Void
    ) {
        self.source = source
        self.interval = min(interval, LeaderProbe.longestInterval)
        self.answered = answered
        self.told = told
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
        let ends = candidates.isEmpty ? [:] : source.logEnds(of: candidates, timeout: min(interval, LeaderProbe.askLimit))
        let now = Clock.now
        // Behind an open transaction records wait: a partition with such is not idle.
        if !ends.isEmpty { answered(ends.mapValues(\.end), now) }
        told(
            state.look { state in
                state.transactions.note(ends, now: now)
                state.transactions.keep(only: state.candidates)
                return state.transactions.all
            })
    }

    func look(at candidates: Set<TopicPartition>) { state.look { $0.candidates = candidates } }

    /// Asks nothing more; a question under way goes on.
    func end() { state.update { $0.isStopped = true } }

    func stop() {
        end()
        while state.wait(upTo: .seconds(1), { $0.isRunning ? nil : true }) == nil {}
    }
}
