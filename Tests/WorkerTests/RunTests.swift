import Engine
import SQLiteState
import Simulation
import Synchronization
import TestSupport
import Testing
import Worker

@Suite("The worker: what is read is delivered once, over restarts, in one stage or several")
struct RunTests {
    private static func values(_ seed: UInt64, of job: PurchaseJob = .everything, partitions: Int) -> [[String]] {
        var random = SeededRandom(seed: seed)
        return PurchaseLog(of: job, partitions: partitions, isThereAtOnce: true, random: &random).values
    }

    @Test(arguments: PurchaseJob.allCases, [1, 3])
    func aBoundedRunReadsClosesDeliversAndEnds(job: PurchaseJob, threads: Int) throws {
        let partitions = job.partitions(atMost: 4)
        let bench = try Bench(job, partitions: partitions)
        bench.settings.threads = threads
        let values = RunTests.values(11, of: job, partitions: partitions)
        bench.append(values)
        try bench.runToEnd()
        bench.expectRows(values)
        for (number, partition) in values.enumerated() where !partition.isEmpty {
            #expect(bench.source.reported[Bench.partition(number)] == Int64(partition.count), "the durable offset is told")
        }
    }

    @Test func aSecondRunOfTheSameInputAddsNothing() throws {
        let bench = try Bench(.everything, partitions: 3)
        let values = RunTests.values(12, partitions: 3)
        bench.append(values)
        try bench.runToEnd()
        let reads = bench.source.readCount
        try bench.runToEnd()
        bench.expectRows(values)
        #expect(bench.source.readCount == reads)
        #expect(bench.sink.opened.allSatisfy { !$0.isNewState && $0.lastFrozen != nil })
    }

    @Test func anEmptyInputEndsAtOnce() throws {
        let bench = try Bench(.everything, partitions: 2)
        try bench.runToEnd()
        #expect(bench.sink.rows.isEmpty && bench.sink.opened.allSatisfy(\.isNewState))
    }

    @Test(arguments: PurchaseJob.allCases)
    func aRestartAfterADrainReadsNoRecordTwice(job: PurchaseJob) throws {
        let partitions = job.partitions(atMost: 3)
        let bench = try Bench(job, partitions: partitions)
        let values = (0..<partitions).map { Bench.purchases($0, seconds: 0..<100) }
        for part in 0..<4 {
            bench.append(values.map { Array($0[(part * 125)..<(part * 125 + 125)]) })
            let running = try bench.start(untilEnd: false)
            try waitUntil("all is read") { bench.source.readCount == partitions * 125 * (part + 1) }
            running.drain()
            #expect(try running.wait() == .complete)
        }
        try bench.runToEnd()
        for partition in 0..<partitions { #expect(bench.source.reads(of: Bench.partition(partition)) == Array(0..<500)) }
        bench.expectRows(values)
    }

    @Test func whatAStartAndADrainTookIsShownPartByPart() throws {
        let bench = try Bench(.everything, partitions: 2)
        for (run, seconds) in [0..<50, 50..<100].enumerated() {
            bench.append([Bench.purchases(0, seconds: seconds), Bench.purchases(1, seconds: seconds)])
            let running = try bench.start(untilEnd: false)
            try waitUntil("the first record is noted") { running.status.start.entries.last?.part == .firstRecord }
            #expect(running.status.start.entries.map(\.part) == [.open, .topics, .sinks, .load, .firstRecord])
            try waitUntil("all is read") { bench.source.readCount == 500 * (run + 1) }
            #expect(running.status.drain.isEmpty)
            running.drain()
            #expect(try running.wait() == .complete)
            #expect(running.status.drain.entries.map(\.part) == [.reading, .delivery, .checkpoint, .stop])
        }
        try bench.runToEnd()
    }

    /// Fails commit 0, 1, 2 … of a run, before or after it is durable, until a run succeeds.
    @Test(arguments: [true, false])
    func aRunThatBreaksAtAnyCommitIsGoneOnWith(isDurable: Bool) throws {
        let bench = try Bench(.everything, partitions: 3)
        bench.settings.epochRecords = 60
        bench.settings.threads = 3
        let values = RunTests.values(13, partitions: 3)
        bench.append(values)
        var broken = 0
        while true {
            let running = try bench.start(untilEnd: true) { FailingStore($0, commits: 1 + broken % 5, isDurable: isDurable) }
            do {
                #expect(try running.wait() == .complete)
                break
            } catch let error as MemorySinkError {
                #expect(error.kind == .invalid)
                broken += 1
            }
        }
        #expect(broken > 1)
        bench.expectRows(values)
    }

    @Test func recordsThatDoNotFitIntoMemoryAreReadFromTheFile() throws {
        let bench = try Bench(.everything, partitions: 2)
        bench.settings.memoryBudget = 1
        bench.settings.epochRecords = 40
        bench.storeSettings.compactionBytes = 1
        bench.storeSettings.logPages = 20
        let values = RunTests.values(14, partitions: 2)
        bench.append(values)
        let first = try bench.start(untilEnd: false)
        try waitUntil("all is read") { bench.source.readCount == values.reduce(0) { $0 + $1.count } }
        first.drain()
        #expect(try first.wait() == .complete)
        try bench.runToEnd()
        bench.expectRows(values)
    }

    /// With an interval that never ends, only the limits of an epoch end it: a thread that fills its share while another
    /// one still cuts the last epoch must be heard as well.
    @Test(arguments: [1, 2, 4])
    func epochsEndAtTheirLimits(threads: Int) throws {
        let bench = try Bench(.windowed, partitions: 8)
        bench.settings.threads = threads
        bench.settings.epochInterval = .seconds(3_600)
        bench.settings.epochRecords = 80
        let values = (0..<8).map { Bench.purchases($0, seconds: 0..<400) }
        bench.append(values)
        try bench.runToEnd()
        bench.expectRows(values)
    }

    @Test func aChangedNumberOfPartitionsIsRefusedWithWhatToDo() throws {
        let bench = try Bench(.windowed, partitions: 2)
        try bench.runToEnd()
        let grown = MemorySource(topic: PurchaseJob.topic, partitions: 3)
        let failure = try bench.start(untilEnd: true, source: grown).waitForFailure()
        #expect(failure.kind == .invalid)
        #expect(
            failure.message.contains("purchases has 3 partitions, the state was built with 2")
                && failure.message.contains("empty state directory"))
        try bench.runToEnd()
    }

    @Test func aSinkThatOnlyAPersonCanMendStopsTheRun() throws {
        let bench = try Bench(.windowed, partitions: 1)
        bench.append([Bench.purchases(0, seconds: 0..<30)])
        bench.sink.fail(with: MemorySinkError(.invalid, "the table was replaced"))
        let failure = try bench.start(untilEnd: true).waitForFailure()
        #expect(failure.kind == .invalid && failure.message == "the table was replaced")
    }

    @Test func theEndOfABoundedRunIsKeptSoThatLaterRecordsOfItsWindowsAreLate() throws {
        let bench = try Bench(.windowed, partitions: 2)
        let values = [["anna bakery 5 1000"], []]
        bench.append(values)
        try bench.runToEnd()
        bench.expectRows(values)
        // Of both partitions: the empty one has come as far.
        bench.append([["anna bakery 1 9999", "anna bakery 2 10000"], ["bert bakery 3 9999", "bert bakery 4 10000"]])
        try bench.runToEnd()
        #expect(
            bench.sink.rows.map(\.text).sorted() == [
                "customer_totals anna 10000 1 5", "customer_totals anna 20000 1 2", "customer_totals bert 20000 1 4",
                "rejected_records purchases 0 1 late  anna bakery 1 9999 0", "rejected_records purchases 1 0 late  bert bakery 3 9999 0",
            ])
    }

    @Test func aBoundedRunReadsToWhereThePartitionsEndedAtItsStart() throws {
        let bench = try Bench(.windowed, partitions: 1)
        bench.append([["anna bakery 5 1000"]])
        let growing = GrowingSource(bench.source, ["anna bakery 7 2000", "anna bakery 8 30000"], to: Bench.partition(0))
        #expect(try bench.start(untilEnd: true, source: growing).wait() == .complete)
        #expect(bench.sink.rows.map(\.text) == ["customer_totals anna 10000 1 5"])
        #expect(bench.source.reported[Bench.partition(0)] == 1)
        try bench.runToEnd()
        #expect(
            bench.sink.rows.map(\.text).sorted().dropFirst() == [
                "customer_totals anna 40000 1 8", "rejected_records purchases 0 1 late  anna bakery 7 2000 0",
            ])
    }
}

/// A source that gets more records just after it has said where its partitions end.
///
/// `@unchecked Sendable`: constants and a lock.
private final class GrowingSource: RecordSource, @unchecked Sendable {
    private let inner: MemorySource
    private let partition: TopicPartition
    private let more: Mutex<[String]>

    init(_ inner: MemorySource, _ more: [String], to partition: TopicPartition) {
        self.inner = inner
        self.more = Mutex(more)
        self.partition = partition
    }

    func partitionCount(of topic: String) throws -> Int { inner.partitionCount(of: topic) }
    func open(_ assignments: [SourceAssignment]) throws -> [TopicPartition: Int64] { inner.open(assignments) }
    func makeReader(of partitions: [TopicPartition]) throws -> any RecordReader { inner.makeReader(of: partitions) }
    func report(_ positions: [TopicPartition: Int64]) { inner.report(positions) }

    func ends(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: Int64] {
        let ends = inner.ends(of: partitions, timeout: timeout)
        more.withLock { more in
            inner.append(more, to: partition)
            more = []
        }
        return ends
    }
}
