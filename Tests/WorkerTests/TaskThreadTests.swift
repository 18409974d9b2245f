import Engine
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Worker

@Suite("A thread of tasks obeys, but never makes a record late that came after the order's reason")
struct TaskThreadTests {
    private final class Events: ThreadEvents {
        private let reports = Mutex<[TaskGroupReport]>([])
        private let error = Mutex<(any Error)?>(nil)

        var all: [TaskGroupReport] { reports.withLock { $0 } }
        var failure: (any Error)? { error.withLock { $0 } }
        func handedIn(_ report: TaskGroupReport) { reports.withLock { $0.append(report) } }
        func isFull() {}
        func firstRecord(at time: Duration) {}
        func reachedEnd() {}
        func readingFailed(_ failure: any Error) { error.withLock { $0 = failure } }
        func failed(_ failure: any Error) { error.withLock { $0 = failure } }
    }

    /// One task that reads one partition, on a thread of its own.
    private final class Running {
        let source = MemorySource(topic: PurchaseJob.topic, partitions: 1)
        let events = Events()
        let thread: TaskThread
        private var epoch = Epoch(0)
        static let idleAfter = Duration.milliseconds(400)

        init() {
            let environment = TaskEnvironment(partitioning: [:], partitions: [:], cold: NothingEvicted(), hashKey: .ofTests)
            let stage = PurchaseJob.windowed.topology.stages[0]
            let member = stage.build(TaskSetup(task: TaskID(stage: stage.name, partition: 0), environment: environment))
            _ = source.open([SourceAssignment(partition: Bench.partition(0), position: nil)])
            let group = TaskGroup(
                tasks: [member], readers: [Bench.partition(0): member], stopAt: nil,
                limits: TaskGroup.Limits(records: 1_000, bytes: 1 << 20),
                idleAfter: Running.idleAfter
            )
            thread = TaskThread(
                group, reader: source.makeReader(of: [Bench.partition(0)]), references: nil,
                clock: ClockWatch(
                    WorkerSettings(), lastReadAt: nil, sink: MemorySink(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }),
                events: events
            )
            let started = Thread { [thread] in thread.run() }
            started.start()
        }

        deinit { thread.mail.update { $0.isStopped = true } }

        /// Lets the thread cut, and waits for what it hands in.
        func cut() throws -> Coordinator.TaskReport {
            epoch = epoch.next
            let before = events.all.count
            thread.mail.update { [epoch] in $0.orders.add(.cut(epoch)) }
            try waitUntil("the cut is handed in") { events.all.count > before }
            return try #require(events.all.last?.reports.first)
        }

        func answer(end: Int64) { thread.mail.update { $0.orders.leadersAnswered([Bench.partition(0): end], at: Clock.now) } }

        func raise(to milliseconds: Int64, isEnding: Bool) {
            let id = TaskID(stage: "purchases", partition: 0)
            thread.mail.update { $0.orders.add(.raise([id: EventTime(milliseconds: milliseconds)], isEnding: isEnding)) }
        }

        /// Answers for the leader until the partition counts as idle.
        func becomeIdle(end: Int64) throws {
            try waitUntil("the partition is idle") {
                answer(end: end)
                return try cut().isIdle
            }
        }
    }

    private static let origin = Int64(1_700_000_000_000)

    @Test func anIdleTaskIsRaised() throws {
        let running = Running()
        running.source.append(Bench.purchases(0, seconds: 0..<1), to: Bench.partition(0))
        try waitUntil("it is read") { running.source.readCount == 5 }
        // The leader's last answer may be too old by the time that the order is obeyed: then the order comes again.
        try waitUntil("the watermark is raised") {
            try running.becomeIdle(end: 5)
            running.raise(to: TaskThreadTests.origin + 50_000, isEnding: false)
            return try running.cut().cut.watermark.milliseconds == TaskThreadTests.origin + 50_000
        }
        #expect(running.events.failure == nil)
    }

    @Test func aRecordThatCameSinceTheReportKeepsTheWatermarkWhereItIs() throws {
        let running = Running()
        running.source.append(Bench.purchases(0, seconds: 0..<1), to: Bench.partition(0))
        try waitUntil("it is read") { running.source.readCount == 5 }
        try running.becomeIdle(end: 5)
        running.source.append(Bench.purchases(0, seconds: 1..<2), to: Bench.partition(0))
        try waitUntil("the record is read") { running.source.readCount == 10 }
        running.raise(to: TaskThreadTests.origin + 50_000, isEnding: false)
        let report = try running.cut()
        #expect(!report.isIdle && report.cut.watermark.milliseconds < TaskThreadTests.origin)
        running.raise(to: TaskThreadTests.origin + 50_000, isEnding: true)
        #expect(try running.cut().cut.watermark.milliseconds == TaskThreadTests.origin + 50_000, "the end of a run closes all")
    }

    @Test func whileReadingIsHeldNothingIsReadAndNothingIsIdle() throws {
        let running = Running()
        running.source.append(Bench.purchases(0, seconds: 0..<1), to: Bench.partition(0))
        try waitUntil("it is read") { running.source.readCount == 5 }
        try running.becomeIdle(end: 5)
        running.thread.mail.update { $0.orders.add(.hold(true)) }
        // A cut handed in after the order: from here on nothing is read.
        _ = try running.cut()
        running.source.append(Bench.purchases(0, seconds: 1..<2), to: Bench.partition(0))
        for _ in 0..<20 {
            running.answer(end: 5)
            #expect(try !running.cut().isIdle)
        }
        #expect(running.source.readCount == 5)
        running.thread.mail.update { $0.orders.add(.hold(false)) }
        try waitUntil("reading goes on") { running.source.readCount == 10 }
    }
}
