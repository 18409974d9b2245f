import Engine
import Foundation
import Logging
import SQLiteState

/// The reference tables of a run: loaded before its first stream record, followed until it stops.
///
/// `@unchecked Sendable`: `reading` is used by the thread that loads, and after `follow` by the follower's alone;
/// the rest are constants, a lock and a monitor.
final class References: @unchecked Sendable {
    private struct State {
        var isStopped = false
        var isRunning = false
    }

    /// Tasks hold its reading side while they process.
    let lock = ReadWriteLock()
    private let worker: Worker
    private let input: ReferenceInput
    private var reading: ReferenceReading!
    private let state = Monitor(State())

    /// How long a poll waits: a stop waits as long at most.
    private static let pollTimeout = Duration.milliseconds(50)
    /// While loading, the file is written after so many records or so much time: larger rounds touch fewer pages.
    private static let loadRound = (records: 250_000, time: Duration.seconds(5))
    private static let progressInterval = Duration.seconds(10)
    /// For how long the leaders are asked where the topics end; who does not answer is read until it says so itself.
    private static let endsTimeout = Duration.seconds(10)

    /// nil for a topology without references.
    init?(_ worker: Worker) throws {
        guard !worker.topology.references.isEmpty else { return nil }
        guard let input = worker.referenceInput else {
            throw WorkerError(.bug, "job \(worker.topology.job) declares references, and the worker was given no input for them")
        }
        self.worker = worker
        self.input = input
    }

    // MARK: - Loading

    /// Restores the tables from their file and reads every topic to its end; false when a drain ended it early.
    func load() throws -> Bool {
        let start = Clock.now
        let topology = worker.topology
        let opening = try ReferenceOpening(
            topology.references, tables: worker.referenceTables, input: input, recordLimit: worker.settings.recordLimit,
            memory: ReferenceMemory(limit: worker.settings.referenceMemoryLimit), logger: worker.logger
        )
        let limit = min(References.endsTimeout, worker.settings.referenceTimeout)
        let ends = opening.source.ends(of: opening.starts.keys.sorted(), timeout: limit)
        reading = try ReferenceReading(opening, ends: ends, file: input.file, lock: lock, worker: worker)
        worker.logger.info(
            "reference tables: \(reading.summary) from the file in \(Clock.now - start); reading on to the ends of their topics")
        guard try readToEnds(deadline: start + worker.settings.referenceTimeout) else { return false }
        try reading.commitNow()
        worker.logger.info(
            "reference tables are complete after \(Clock.now - start): \(reading.summary), \(reading.recordsRead) records read")
        return true
    }

    private func readToEnds(deadline: Duration) throws -> Bool {
        var nextProgress = Clock.now + References.progressInterval
        while !reading.unfinished.isEmpty {
            if worker.inbox.look({ $0.isDraining }) {
                try reading.commitNow()
                return false
            }
            guard Clock.now < deadline else { throw try tooLate() }
            try reading.poll(timeout: References.pollTimeout)
            if reading.recordsNotTaken >= References.loadRound.records { try reading.commitNow() }
            try reading.commit(notBefore: References.loadRound.time)
            guard worker.settings.logsReferenceProgress, Clock.now >= nextProgress else { continue }
            worker.logger.info("reading the reference topics: \(reading.progress)")
            nextProgress = Clock.now + References.progressInterval
        }
        return true
    }

    /// The error for a topic that takes too long; what was read of it is kept for the next start.
    private func tooLate() throws -> WorkerError {
        try reading.commitNow()
        let limit = worker.settings.referenceTimeout
        guard let (partition, next, end) = reading.laggard else {
            return WorkerError(.bug, "the reference topics were read to their ends too late")
        }
        let others = reading.unfinished.count > 1 ? ", as were \(reading.unfinished.count - 1) other partitions" : ""
        let cure = reading.waitsFor.map { "\($0). See to it" } ?? "see to the partition's leader, or raise the limit"
        return WorkerError(
            .invalid,
            "reference topic \(partition.topic) was not read to its end within \(limit.seconds) s (input.referenceTimeout): partition \(partition.partition) stands at offset \(next) of \(end.map(String.init) ?? "an unknown end")\(others). What was read is kept; \(cure), and start again"
        )
    }

    // MARK: - Following

    /// Goes on reading, on a thread of its own, until `stop`.
    func follow() {
        state.update { $0.isRunning = true }
        let thread = Thread { [self] in
            do {
                try run()
            } catch {
                worker.inbox.update { $0.error = $0.error ?? error }
            }
            state.update { $0.isRunning = false }
        }
        thread.name = "references"
        thread.start()
    }

    private func run() throws {
        while !state.look({ $0.isStopped }) {
            try reading.poll(timeout: References.pollTimeout)
            try reading.commit(notBefore: worker.settings.referenceCommitInterval)
        }
        try reading.commitNow()
    }

    func stop() {
        state.update { $0.isStopped = true }
        while state.wait(upTo: .seconds(1), { $0.isRunning ? nil : true }) == nil {}
    }
}

/// What a worker needs for its topology's reference topics besides the stream's parts.
public struct ReferenceInput: Sendable {
    /// The durable copy of the tables.
    public let file: ReferenceFile
    /// Makes a source of the reference topics alone, which begins at the start of their logs. It is another one than
    /// the stream's because a topic may be both, read at two places; nothing is ever reported to it. Asked for again
    /// when a log does not fit what the file has of it.
    public let makeSource: @Sendable () throws -> any RecordSource

    public init(file: ReferenceFile, makeSource: @escaping @Sendable () throws -> any RecordSource) {
        self.file = file
        self.makeSource = makeSource
    }
}
