import Engine
import Foundation
import Synchronization

/// A source in memory that records are appended to while it is read.
package final class MemorySource: RecordSource {
    private struct State {
        var records: [TopicPartition: [[UInt8]]]
        /// Where each partition is read from next.
        var next: [TopicPartition: Int64] = [:]
        var reads: [TopicPartition: [Int64]] = [:]
        var reported: [TopicPartition: Int64] = [:]
        var areLeadersSilent = false
    }

    private let state: Mutex<State>

    /// `partitions`: how many the topic has; all are empty.
    package init(topic: String, partitions: Int) {
        let empty = (0..<partitions).map { (TopicPartition(topic: topic, partition: $0), [[UInt8]]()) }
        state = Mutex(State(records: Dictionary(uniqueKeysWithValues: empty)))
    }

    package func append(_ values: [String], to partition: TopicPartition) {
        state.withLock { $0.records[partition, default: []] += values.map { Array($0.utf8) } }
    }

    /// The offsets handed over, in the order in which they were.
    package func reads(of partition: TopicPartition) -> [Int64] { state.withLock { $0.reads[partition] ?? [] } }
    package var readCount: Int { state.withLock { $0.reads.values.reduce(0) { $0 + $1.count } } }
    /// What the durable positions were last said to be.
    package var reported: [TopicPartition: Int64] { state.withLock { $0.reported } }
    /// Leaders that don't say where their logs end: then no partition is idle.
    package func silenceLeaders(_ areSilent: Bool) { state.withLock { $0.areLeadersSilent = areSilent } }

    package func partitionCount(of topic: String) -> Int { state.withLock { $0.records.keys.filter { $0.topic == topic }.count } }

    package func open(_ assignments: [SourceAssignment]) -> [TopicPartition: Int64] {
        let starts = Dictionary(uniqueKeysWithValues: assignments.map { ($0.partition, $0.position?.next ?? 0) })
        state.withLock { $0.next = starts }
        return starts
    }

    package func makeReader(of partitions: [TopicPartition]) -> any RecordReader { Reader(self, partitions) }

    package func ends(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: Int64] {
        state.withLock { state in
            guard !state.areLeadersSilent else { return [:] }
            return Dictionary(uniqueKeysWithValues: partitions.map { ($0, Int64(state.records[$0]?.count ?? 0)) })
        }
    }

    package func report(_ positions: [TopicPartition: Int64]) { state.withLock { $0.reported.merge(positions) { $1 } } }

    /// Takes the next records of a partition, and says where it stands then.
    private func take(_ partition: TopicPartition, _ maximum: Int) -> (first: Int64, values: [[UInt8]], isAtEnd: Bool) {
        state.withLock { state in
            let all = state.records[partition] ?? []
            let first = state.next[partition] ?? 0
            let values = Array(all.dropFirst(Int(first)).prefix(maximum))
            state.next[partition] = first + Int64(values.count)
            state.reads[partition, default: []] += (0..<values.count).map { first + Int64($0) }
            return (first, values, Int(first) + values.count == all.count)
        }
    }

    private final class Reader: RecordReader {
        private let source: MemorySource
        private let partitions: [TopicPartition]
        private var turn = 0
        /// Records handed over at a time, so that the partitions take turns.
        private static let step = 50

        init(_ source: MemorySource, _ partitions: [TopicPartition]) {
            self.source = source
            self.partitions = partitions
        }

        func poll(maximumRecords: Int, timeout: Duration, _ handle: (SourceEvent) -> Void) {
            var handedOver = 0
            for _ in partitions where handedOver < maximumRecords {
                let partition = partitions[turn % partitions.count]
                turn += 1
                let (first, values, isAtEnd) = source.take(partition, min(Reader.step, maximumRecords - handedOver))
                if !values.isEmpty { withRecords(values, firstOffset: first) { handle(.records(partition, $0)) } }
                if isAtEnd { handle(.end(partition, next: first + Int64(values.count))) }
                handedOver += values.count
            }
            if handedOver == 0 { usleep(2_000) }
        }
    }
}
