import Engine
import Foundation

/// Asks now and then whether the topics of a run still have the partitions that it reads: one that has grown sends keys to partitions
/// that nobody reads, and windows would close without them.
///
/// `@unchecked Sendable`: the members are constants and a monitor.
final class TopicWatch: @unchecked Sendable {
    private let source: any RecordSource
    private let known: [String: Int]
    private let interval: Duration
    private let isEnded = Monitor(false)
    private let changed: @Sendable (StartRefusal) -> Void

    /// `known`: how many partitions of each topic are read. `changed`: hears once that a topic has others now.
    init(
        _ source: any RecordSource, known: [String: Int], interval: Duration, changed: @escaping @Sendable (StartRefusal) -> Void
    ) {
        self.source = source
        self.known = known
        self.interval = interval
        self.changed = changed
    }

    func start() {
        let thread = Thread { [self] in
            while isEnded.wait(upTo: interval, { $0 ? true : nil }) == nil {
                guard let refusal = look() else { continue }
                return changed(refusal)
            }
        }
        thread.name = "topic watch"
        thread.start()
    }

    /// What the next start would be refused for; nil while all is as it was, or nobody answers: an outage is told by others.
    private func look() -> StartRefusal? {
        for (topic, count) in known.sorted(by: { $0.key < $1.key }) {
            guard let found = try? source.partitionCount(of: topic) else { continue }
            do throws(StartRefusal) {
                _ = try PartitionCount(of: topic, isTopic: true, found: found, known: count, endsBeforeRepartition: false)
            } catch {
                return error
            }
        }
        return nil
    }

    /// Asks nothing more; a question under way goes on.
    func end() { isEnded.update { $0 = true } }
}
