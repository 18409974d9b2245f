import Engine
import SQLiteState
import Simulation
import TestSupport
import Testing
import Worker

@Suite("A topic that grew: the rows are those of a topic that never did")
struct RepartitionTests {
    struct Purchase {
        let customer: String
        let value: String
        let second: Int

        func partition(of partitions: Int) -> Int {
            Array(customer.utf8).withUnsafeBytes { murmur2Partition(of: ByteView($0), partitions: partitions) }
        }
    }

    /// What is read before the topic grows ends at this second.
    private static let growth = 60
    private static let end = 130

    /// In order of time; a tenth of the customers is not seen any more after the growth.
    static func purchases(_ seconds: Range<Int>) -> [Purchase] {
        seconds.flatMap { second in
            (0..<10).compactMap { index in
                let number = (second * 7 + index * 3) % 60
                if second >= growth && number % 10 == 5 { return nil }
                let time = 1_700_000_000_000 + second * 1000 + index * 100
                return Purchase(
                    customer: "c\(number)", value: "c\(number) s\((second + index) % 4) \(second + index) \(time)", second: second)
            }
        }
    }

    static func values(_ purchases: [Purchase], _ partitions: Int) -> [[String]] {
        purchases.reduce(into: Array(repeating: [], count: partitions)) { $0[$1.partition(of: partitions)].append($1.value) }
    }

    static func source(_ values: [[String]]) -> MemorySource {
        let source = MemorySource(topic: PurchaseJob.topic, partitions: values.count)
        for (number, values) in values.enumerated() { source.append(values, to: Bench.partition(number)) }
        return source
    }

    /// As the tool does it.
    static func repartition(_ directory: String, to partitions: Int, isDrained: Bool = false) throws -> TemporaryDirectory {
        let target = try TemporaryDirectory("tidemark-grown")
        var held: HeldState?
        try waitUntil("the worker lets go of \(directory)") {
            do {
                held = try HeldState(path: directory) { throw WaitedTooLong(description: "the worker left a log") }
                return true
            } catch let error as StateError where error.kind == .locked {
                return false
            }
        }
        try StateAssembly.assemble(base: held!.reader.path, deltas: [], into: target.file("state.db"))
        _ = try StateRepartition.perform(
            StateRepartition.Order(topic: nil, partitions: partitions, places: .murmur2(.same), isDrained: isDrained),
            in: target.file("state.db"))
        return target
    }

    /// Reads everything behind the first `known` records, and is stopped.
    static func runAndStop(_ bench: Bench, _ values: [[String]], after known: Int = 0) throws {
        let source = RepartitionTests.source(values)
        let worker = try bench.start(untilEnd: false, source: source)
        try waitUntil("everything is read") { source.readCount == values.reduce(-known) { $0 + $1.count } }
        worker.drain()
        #expect(try worker.wait() == .complete)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let job: PurchaseJob
        let before: Int
        let after: Int
        /// For so many seconds before the growth partition 0 gets nothing: it keeps windows open that others have closed.
        var silence = 0

        var testDescription: String { "\(job) \(before) → \(after), silent for \(silence)" }
    }

    static let cases = [
        Case(job: .everything, before: 2, after: 4), Case(job: .everything, before: 2, after: 3), Case(job: .once, before: 2, after: 4),
        Case(job: .once, before: 2, after: 3), Case(job: .everything, before: 2, after: 3, silence: 8),
        Case(job: .once, before: 4, after: 6, silence: 8),
        Case(job: .chained, before: 2, after: 3, silence: 22), Case(job: .chained, before: 4, after: 6, silence: 22),
    ]

    @Test(arguments: cases)
    func theRowsAreThoseOfATopicThatNeverGrew(test: Case) throws {
        let (before, after) = (test.before, test.after)
        let early = RepartitionTests.purchases(0..<RepartitionTests.growth).filter {
            $0.second < RepartitionTests.growth - test.silence || $0.partition(of: before) != 0
        }
        // What comes again comes as soon as the topic has grown.
        let repeated = test.job == .once ? early.filter { $0.second >= RepartitionTests.growth - 6 } : []
        let late = RepartitionTests.purchases(RepartitionTests.growth..<RepartitionTests.end)
        let grown = zip(
            RepartitionTests.values(early, before) + Array(repeating: [], count: after - before),
            RepartitionTests.values(repeated + late, after)
        ).map { $0 + $1 }
        let bench = try Bench(test.job, partitions: before)
        let first = early.filter { $0.second < RepartitionTests.growth - 30 }
        try RepartitionTests.runAndStop(bench, RepartitionTests.values(first, before))

        bench.settings.endsBeforeRepartition = true
        if PartitionGrowth(from: before, to: after).fillsNewPartitionsOnly {
            // Part of what came later stands in the old partitions already.
            let some = grown.map { Array($0.prefix($0.count * 3 / 4)) }
            #expect(try bench.start(untilEnd: false, source: RepartitionTests.source(some)).wait() == .complete)
        } else {
            // Keys have gone from one old partition to another.
            bench.settings.endsBeforeRepartition = false
            try RepartitionTests.runAndStop(bench, RepartitionTests.values(early, before), after: first.count)
            bench.settings.endsBeforeRepartition = true
            let refused = try bench.start(untilEnd: false, source: RepartitionTests.source(grown)).waitForFailure()
            #expect(refused.kind == .invalid && refused.message.contains("no multiple"))
        }
        bench.settings.endsBeforeRepartition = false
        let refused = try bench.start(untilEnd: true, source: RepartitionTests.source(grown)).waitForFailure()
        #expect(refused.message.contains("checkpoint repartition latest --topic \(PurchaseJob.topic) --partitions \(after)"))

        let target = try RepartitionTests.repartition(
            bench.directory.path, to: after, isDrained: !PartitionGrowth(from: before, to: after).fillsNewPartitionsOnly)
        #expect(try bench.start(untilEnd: true, source: RepartitionTests.source(grown), on: target.path).wait() == .complete)
        bench.expectRows(RepartitionTests.values(early + repeated + late, before))
    }

    @Test func nothingButARunThatReadToTheEndsAllowsIt() throws {
        let values = RepartitionTests.values(RepartitionTests.purchases(0..<30), 2)
        let grown = values + [[], []]
        let bench = try Bench(.once, partitions: 2)
        try RepartitionTests.runAndStop(bench, values.map { Array($0.prefix($0.count / 2)) })
        bench.settings.endsBeforeRepartition = true
        let early = try bench.start(untilEnd: false, source: RepartitionTests.source(values)).waitForFailure()
        #expect(early.kind == .invalid && early.message.contains("no topic has more partitions"))

        let source = RepartitionTests.source(grown)
        let interrupted = try bench.start(untilEnd: false, source: FurtherEnds(source))
        try waitUntil("what is there is read") { source.readCount == values.reduce(0) { $0 + $1.count - $1.count / 2 } }
        interrupted.drain()
        let failure = try interrupted.waitForFailure()
        #expect(failure.message.contains("stopped before it had read \(PurchaseJob.topic) to the end"))
        try expectUnread(bench)

        #expect(try bench.start(untilEnd: false, source: RepartitionTests.source(grown)).wait() == .complete)
        _ = try RepartitionTests.repartition(bench.directory.path, to: 4)
        let other = #expect(throws: StateError.self) { _ = try RepartitionTests.repartition(bench.directory.path, to: 6) }
        #expect(other?.message.contains("when it had 4 partitions, not 6") == true)

        // What reads on makes it untrue.
        let again = try bench.start(untilEnd: false, source: FurtherEnds(RepartitionTests.source(grown)))
        try waitUntil("an epoch is committed") { again.status.epoch.number > 0 }
        again.drain()
        _ = try again.waitForFailure()
        try expectUnread(bench)
    }

    /// Windows must not close without what nobody reads.
    @Test func aTopicThatGrowsWhileItIsReadEndsTheRunWithWhatToDo() throws {
        let bench = try Bench(.windowed, partitions: 2)
        bench.settings.topicInterval = .milliseconds(50)
        let values = (0..<2).map { Bench.purchases($0, seconds: 0..<50) }
        bench.append(values)
        let running = try bench.start(untilEnd: false)
        try waitUntil("all is read") { bench.source.readCount == values.joined().count }
        bench.source.append(["anna bakery 12 1700000049000"], to: Bench.partition(2))
        let failure = try running.waitForFailure()
        #expect(failure.message.contains("\(PurchaseJob.topic) has 3 partitions, the state was built with 2"), "\(failure.message)")
        #expect(bench.source.reads(of: Bench.partition(2)).isEmpty)
    }

    private func expectUnread(_ bench: Bench) throws {
        let error = #expect(throws: StateError.self) { _ = try RepartitionTests.repartition(bench.directory.path, to: 4) }
        #expect(error?.message.contains("nothing says that \(PurchaseJob.topic) was read to its end") == true, "\(error?.message ?? "")")
    }

    /// Says that more will come than there is, so that a bounded run of it doesn't end.
    private final class FurtherEnds: RecordSource {
        private let source: MemorySource
        init(_ source: MemorySource) { self.source = source }
        func partitionCount(of topic: String) -> Int { source.partitionCount(of: topic) }
        func open(_ assignments: [SourceAssignment]) -> [TopicPartition: Int64] { source.open(assignments) }
        func makeReader(of partitions: [TopicPartition]) -> any RecordReader { source.makeReader(of: partitions) }
        func ends(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: Int64] {
            source.ends(of: partitions, timeout: timeout).mapValues { $0 + 1 }
        }
        func report(_ positions: [TopicPartition: Int64]) { source.report(positions) }
    }

    /// Of a window that was closed for a key where it came from, nothing may be read any more; one that was open there closes
    /// although nothing more is read.
    @Test func noWindowOpensAgainAndNoneStaysOpen() throws {
        let early = RepartitionTests.purchases(0..<40)
        let ahead = try #require(early.first { $0.partition(of: 2) == 1 && $0.partition(of: 3) == 2 }).customer
        let behind = try #require(early.first { $0.partition(of: 2) == 0 && $0.partition(of: 3) == 2 }).customer
        func purchase(_ customer: String, _ second: Int) -> String { "\(customer) s1 1 \(1_700_000_000_000 + second * 1000)" }
        let bench = try Bench(.chained, partitions: 2)
        let before = [[purchase(behind, 11)], [purchase(ahead, 12), purchase(ahead, 47)]]
        bench.settings.endsBeforeRepartition = true
        let empty = try bench.start(untilEnd: false, source: RepartitionTests.source(before)).waitForFailure()
        #expect(empty.message.contains("there is no state"))
        bench.settings.endsBeforeRepartition = false
        try RepartitionTests.runAndStop(bench, before)
        #expect(bench.sink.rows.isEmpty, "the shops wait for the partition behind")
        let target = try RepartitionTests.repartition(bench.directory.path, to: 3, isDrained: true)
        let source = RepartitionTests.source(before + [[purchase(ahead, 13)]])
        source.silenceLeaders(true)
        let worker = try bench.start(untilEnd: false, source: source, on: target.path)
        func rows(_ table: String) -> [String] { bench.sink.rows.map(\.text).filter { $0.hasPrefix(table) } }
        try waitUntil("what was open is closed, and what comes too late rejected") {
            !rows("shop_totals").isEmpty && !rows("rejected").isEmpty
        }
        worker.drain()
        #expect(try worker.wait() == .complete)
        #expect(rows("shop_totals") == ["shop_totals s1 1700000020000 2 2 2 2 2"])
        #expect(rows("rejected") == ["rejected_records \(PurchaseJob.topic) 2 0 late  \(purchase(ahead, 13)) 0"])
    }
}
