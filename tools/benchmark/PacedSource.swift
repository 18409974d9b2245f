import Engine
import Foundation
import Synchronization

/// A log that first has a record of each key, as fast as it is read, and then, once it is told to, records of random keys at
/// a fixed rate. It knows when each of those was due, and so how late it was read.
final class PacedSource: RecordSource {
    private struct State {
        var pacedSince: ContinuousClock.Instant?
        var next: [Int]
        var latenesses = Latenesses()
    }

    static let topic = "topic"
    private let partitions: Int
    private let keysPerPartition: Int
    /// Between two records of one partition.
    private let spacing: Duration
    private let state: Mutex<State>

    /// `rate`: records a second, in all.
    init(keys: Int, partitions: Int, rate: Int) {
        self.partitions = partitions
        keysPerPartition = keys / partitions
        spacing = .seconds(1) * partitions / rate
        state = Mutex(State(next: Array(repeating: 0, count: partitions)))
    }

    var isFilled: Bool { state.withLock { $0.next.allSatisfy { $0 >= keysPerPartition } } }

    /// Nothing is due any more, until it is begun again.
    func pause() { state.withLock { $0.pacedSince = nil } }

    /// From now on records are due, beginning where reading stands.
    func begin() {
        state.withLock { state in
            let read = state.next.max()! - keysPerPartition
            state.next = state.next.map { _ in keysPerPartition + read }
            state.pacedSince = .now - spacing * read
        }
    }

    /// How late the records were that were read since this was asked last.
    func takeLatenesses() -> Latenesses {
        state.withLock { state in
            defer { state.latenesses = Latenesses() }
            return state.latenesses
        }
    }

    func partitionCount(of topic: String) -> Int { partitions }
    func makeReader(of partitions: [TopicPartition]) -> any RecordReader { Reader(self, partitions) }
    func ends(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: Int64] { [:] }
    func report(_ positions: [TopicPartition: Int64]) {}

    func open(_ assignments: [SourceAssignment]) -> [TopicPartition: Int64] {
        state.withLock { state in
            for assignment in assignments { state.next[assignment.partition.partition] = Int(assignment.position?.next ?? 0) }
        }
        return Dictionary(uniqueKeysWithValues: assignments.map { ($0.partition, $0.position?.next ?? 0) })
    }

    /// Records handed over at a time.
    private static let step = 1000

    /// The offsets to hand over now.
    private func take(_ partition: Int) -> Range<Int> {
        state.withLock { state in
            let first = state.next[partition]
            var end = min(first + PacedSource.step, keysPerPartition)
            if first >= keysPerPartition {
                guard let since = state.pacedSince else { return first..<first }
                let now = ContinuousClock.now
                let due = keysPerPartition + Int((now - since) / spacing)
                end = max(first, min(due, first + PacedSource.step))
                let lateness = now - (since + spacing * (first - keysPerPartition))
                if end > first { state.latenesses.add(lateness, records: end - first) }
            }
            state.next[partition] = end
            return first..<end
        }
    }

    private func key(_ offset: Int, of partition: Int) -> UInt64 {
        var number = UInt64(offset)
        if offset >= keysPerPartition {
            number = (number ^ UInt64(partition) << 32) &* 0x9E37_79B9_7F4A_7C15
            number = (number ^ number >> 29) % UInt64(keysPerPartition)
        }
        // In an order that is not theirs, as keys of a log come.
        return (number * UInt64(partitions) + UInt64(partition)) &* 0x9E37_79B9_7F4A_7C15
    }

    private final class Reader: RecordReader {
        private let source: PacedSource
        private let partitions: [TopicPartition]
        private var keys: [UInt64] = []
        private var records: [SourceRecord] = []

        init(_ source: PacedSource, _ partitions: [TopicPartition]) {
            self.source = source
            self.partitions = partitions
        }

        func poll(maximumRecords: Int, timeout: Duration, _ handle: (SourceEvent) -> Void) {
            var isIdle = true
            for partition in partitions {
                let offsets = source.take(partition.partition)
                if offsets.isEmpty { continue }
                isIdle = false
                keys = offsets.map { source.key($0, of: partition.partition) }
                keys.withUnsafeBytes { bytes in
                    records = offsets.map { offset in
                        let key = ByteView(
                            UnsafeRawBufferPointer(
                                rebasing: bytes[(offset - offsets.lowerBound) * 8..<(offset - offsets.lowerBound + 1) * 8]))
                        return SourceRecord(offset: Int64(offset), timestamp: nil, key: key, value: key)
                    }
                    records.withUnsafeBufferPointer { handle(.records(partition, $0)) }
                }
            }
            if isIdle { usleep(1000) }
        }
    }
}

/// How late records were read.
struct Latenesses {
    private(set) var records = 0
    private(set) var longest = Duration.zero
    /// Records by their lateness in milliseconds; the last one is of all that were later.
    private var counts = Array(repeating: 0, count: 10_001)

    /// `lateness`: of the first of them; the others were due later.
    mutating func add(_ lateness: Duration, records count: Int) {
        records += count
        longest = max(longest, lateness)
        counts[min(Int(lateness / .milliseconds(1)), counts.count - 1)] += count
    }

    /// The lateness in milliseconds that this share of the records did not exceed.
    func milliseconds(share: Double) -> Int {
        var seen = 0
        return counts.firstIndex { count in
            seen += count
            return Double(seen) >= share * Double(records)
        } ?? 0
    }
}
