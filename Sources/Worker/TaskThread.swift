import Engine
import Foundation

/// What the loop wants of one thread.
struct ThreadMail {
    var orders = TaskGroupOrders()
    var isStopped = false

    /// What there is to be done now; standing orders stay.
    mutating func take() -> (orders: TaskGroupOrders, isStopped: Bool) { (orders.take(), isStopped) }

    var isSomethingToDo: Bool { orders.isSomethingToDo || isStopped }
}

/// The thread of one group of tasks: polls their partitions, and passes records and orders on to the group.
///
/// `@unchecked Sendable`: built on the worker's thread, afterwards used by its own thread alone, but for `mail`,
/// which is a monitor.
final class TaskThread: @unchecked Sendable {
    let mail = Monitor(ThreadMail())
    private let group: TaskGroup
    private let reader: (any RecordReader)?
    /// Held for reading while records or batches are processed; taken once a poll.
    private let references: ReadWriteLock?
    private var holdsReferences = false
    private let events: any ThreadEvents
    private let clock: ClockWatch
    private var hasFirstRecord = false

    /// Records asked of the reader at a time.
    static let pollRecords = 4096
    /// How long a poll waits: a cut that is asked for meanwhile waits as long at most.
    static let pollTimeout = Duration.milliseconds(20)
    /// For how long memory is given back between two polls: more in that time than the records of a poll can take.
    private static let releaseTime = Duration.milliseconds(5)

    init(_ group: TaskGroup, reader: (any RecordReader)?, references: ReadWriteLock?, clock: ClockWatch, events: any ThreadEvents) {
        self.group = group
        self.reader = reader
        self.references = references
        self.clock = clock
        self.events = events
    }

    /// The thread's whole life; errors go to the loop.
    func run() {
        do {
            while try step() {}
        } catch {
            events.failed(error)
        }
    }

    private func step() throws -> Bool {
        var (orders, isStopped) = mail.look { $0.take() }
        let reading = reader != nil && group.mayRead(orders) ? clock.reading : nil
        if reading == nil {
            group.readingWasHeld(now: Clock.now)
            // Said again and again: what was said while other threads still cut the last epoch is forgotten with it.
            if group.isFull { events.isFull() }
        }
        if reading == nil && !isStopped && !orders.isSomethingToDo {
            let isHeld = orders.isHeld
            let next = mail.wait(upTo: TaskThread.pollTimeout) { $0.isSomethingToDo || $0.orders.isHeld != isHeld ? $0.take() : nil }
            if let next { (orders, isStopped) = next }
        }
        try obey(orders)
        guard !isStopped else { return false }
        if let reader, let reading { try poll(reader, at: reading) }
        let deadline = Clock.now + TaskThread.releaseTime
        group.giveBack { Clock.now >= deadline }
        return true
    }

    private func obey(_ orders: TaskGroupOrders) throws {
        if orders.hasInput { holdReferences() }
        defer { releaseReferences() }
        if let report = try group.obey(orders, now: Clock.now) { events.handedIn(report) }
    }

    // MARK: - Reading

    /// What the worker's clock said before the poll: by it records are judged.
    private var now = EventTime.distantPast
    /// An error inside the reader's callback, to be thrown after it.
    private var handlingError: (any Error)?

    private func poll(_ reader: any RecordReader, at time: EventTime) throws {
        now = time
        defer { releaseReferences() }
        do {
            try reader.poll(maximumRecords: TaskThread.pollRecords, timeout: TaskThread.pollTimeout, handle)
        } catch {
            group.readingFailed()
            events.readingFailed(error)
        }
        if let handlingError { throw handlingError }
        if reader.waitsFor != nil { group.readingWasHeld(now: Clock.now) }
        group.wasPolled()
        if group.isFull { events.isFull() }
        if group.hasJustReachedEnd() { events.reachedEnd() }
    }

    private func handle(_ event: SourceEvent) {
        guard handlingError == nil else { return }
        switch event {
        case .records(let partition, let records):
            holdReferences()
            do {
                try group.process(records, of: partition, at: now)
            } catch {
                handlingError = error
                return
            }
            guard !hasFirstRecord else { return }
            hasFirstRecord = true
            events.firstRecord(at: Clock.now)
        case .end(let partition, let next): group.reachedEnd(of: partition, next: next, now: Clock.now)
        }
    }

    /// From the first record on, not while the poll waits for it: whoever changes the tables would wait as well.
    private func holdReferences() {
        guard let references, !holdsReferences else { return }
        references.lockForReading()
        holdsReferences = true
    }

    private func releaseReferences() {
        guard holdsReferences else { return }
        holdsReferences = false
        references?.unlock()
    }
}

/// What a thread tells the loop.
protocol ThreadEvents: AnyObject, Sendable {
    func handedIn(_ report: TaskGroupReport)
    /// The group has as much of the epoch as it may have.
    func isFull()
    /// All partitions of the thread are read to where they ended at the start.
    func reachedEnd()
    func firstRecord(at time: Duration)
    /// Nothing more can be read by the thread; it goes on with everything else.
    func readingFailed(_ error: any Error)
    func failed(_ error: any Error)
}
