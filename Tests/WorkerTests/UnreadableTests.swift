import Engine
import Synchronization
import TestSupport
import Testing
import Worker

@Suite("What can't be read ends a run only after everything before it is durable and delivered")
struct UnreadableTests {
    /// Hands over what its source has, and fails behind the offset.
    private final class BrokenSource: RecordSource {
        private let inner: MemorySource
        private let last: Int64

        init(_ inner: MemorySource, last: Int64) {
            self.inner = inner
            self.last = last
        }

        func partitionCount(of topic: String) -> Int { inner.partitionCount(of: topic) }
        func open(_ assignments: [SourceAssignment]) -> [TopicPartition: Int64] { inner.open(assignments) }
        func makeReader(of partitions: [TopicPartition]) -> any RecordReader { Reader(inner.makeReader(of: partitions), last) }
        func ends(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: Int64] {
            inner.ends(of: partitions, timeout: timeout)
        }
        func report(_ positions: [TopicPartition: Int64]) { inner.report(positions) }

        private final class Reader: RecordReader {
            private let inner: any RecordReader
            private let last: Int64
            private var isBroken = false

            init(_ inner: any RecordReader, _ last: Int64) {
                self.inner = inner
                self.last = last
            }

            func poll(maximumRecords: Int, timeout: Duration, _ handle: (SourceEvent) -> Void) throws {
                precondition(!isBroken, "a reader that failed is asked again")
                try inner.poll(maximumRecords: maximumRecords, timeout: timeout) { event in
                    guard case .records(let partition, let records) = event else { return handle(event) }
                    let good = UnsafeBufferPointer(rebasing: records.prefix { $0.offset <= last })
                    isBroken = isBroken || good.count < records.count
                    if !good.isEmpty { handle(.records(partition, good)) }
                }
                if isBroken { throw MemorySinkError(.invalid, "the batch at \(last + 1) can't be read") }
            }
        }
    }

    @Test(arguments: [true, false])
    func whatCameBeforeIsDeliveredAndTheNextRunGoesOnBehindIt(untilEnd: Bool) throws {
        let bench = try Bench(.windowed, partitions: 2)
        let values = [Bench.purchases(0, seconds: 0..<200), Bench.purchases(1, seconds: 0..<200)]
        bench.append(values)
        let failure = try bench.start(untilEnd: untilEnd, source: BrokenSource(bench.source, last: 699)).waitForFailure()
        #expect(failure.kind == .invalid && failure.message.contains("the batch at 700"))
        #expect(
            bench.source.reported[Bench.partition(0)] == 700 || bench.source.reported[Bench.partition(1)] == 700, "\(bench.source.reported)"
        )
        #expect(!bench.sink.deliveries.isEmpty)
        // By another source it can be read: nothing was left out, and nothing is there twice.
        try bench.runToEnd()
        bench.expectRows(values)
    }

    @Test func whileTheSinkIsDownTheErrorComesWhenTheDrainRunsOutOfTime() throws {
        let bench = try Bench(.windowed, partitions: 1)
        bench.settings.drainTimeout = .milliseconds(200)
        let values = [Bench.purchases(0, seconds: 0..<200)]
        bench.append(values)
        bench.sink.setDown(true)
        let failure = try bench.start(untilEnd: false, source: BrokenSource(bench.source, last: 699)).waitForFailure()
        #expect(failure.message.contains("the batch at 700") && bench.sink.deliveries.isEmpty)
        bench.sink.setDown(false)
        try bench.runToEnd()
        bench.expectRows(values)
    }
}
