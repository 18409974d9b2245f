import Engine
import Foundation
import KafkaIO
import Logging
import SQLiteState
import TestSupport
import Worker

/// A directory of topics, a state directory and a sink that outlive the workers which use them.
final class ColorWorld {
    let input: TemporaryDirectory
    let state: TemporaryDirectory
    let sink = ColorSink()
    let log = RecordedLog()
    var settings = WorkerSettings()
    var topology = ColorJob.topology()
    /// Wraps the source of the reference topic.
    var wrap: @Sendable (any RecordSource) -> any RecordSource = { $0 }

    init(colors: [String], items: [String]) throws {
        input = try TemporaryDirectory()
        state = try TemporaryDirectory()
        settings.threads = 2
        settings.epochInterval = .milliseconds(20)
        settings.flushInterval = .milliseconds(20)
        settings.referenceCommitInterval = .milliseconds(20)
        try append(colors, to: "colors")
        try append(items, to: "items")
    }

    func append(_ lines: [String], to topic: String, partition: Int = 0) throws {
        let folder = input.file(topic)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = "\(folder)/\(partition).jsonl"
        if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
        // One write at the file's end, so that a reader sees whole lines.
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { handle.closeFile() }
        handle.seekToEndOfFile()
        handle.write(Data(lines.map { $0 + "\n" }.joined().utf8))
    }

    func replace(_ topic: String, with lines: [String]) throws {
        try FileManager.default.removeItem(atPath: input.file(topic))
        try append(lines, to: topic)
    }

    func worker(untilEnd: Bool, state directory: String? = nil) throws -> Worker {
        var settings = settings
        settings.readsUntilEnd = untilEnd
        let directory = directory ?? state.path
        let (store, file) = try openState(directory)
        let (path, wrap) = (input.path, wrap)
        let references = ReferenceInput(file: file) {
            wrap(try DirectorySource(path: path))
        }
        return Worker(
            topology, settings: settings, source: try DirectorySource(path: path), store: store,
            sink: sink, references: references, logger: log.logger
        )
    }

    /// Runs to the end of the input; what the reference table was at the end.
    @discardableResult
    func runToEnd() throws -> WorkerStatus.Reference {
        let worker = try worker(untilEnd: true)
        _ = try worker.run()
        return try worker.reference()
    }

    /// Runs a worker beside `body`, then drains it.
    func running(_ body: (Worker) throws -> Void) throws {
        let worker = try worker(untilEnd: false)
        try running(worker) { try body(worker) }
    }

    /// The same of a worker that the test has made.
    func running(_ worker: Worker, _ body: () throws -> Void) throws {
        let ended = Ended()
        Thread { ended.end(Result { try worker.run() }) }.start()
        defer { worker.drain() }
        try body()
        worker.drain()
        try waitUntil("the worker has drained") { ended.result != nil }
        _ = try ended.result?.get()
    }
}

/// Opens both files of a state directory. A worker that ran in this process lets go of them when the last of its threads
/// is gone, a moment after `run` has returned.
func openState(_ directory: String) throws -> (SQLiteStateStore, ReferenceFile) {
    var opened: (SQLiteStateStore, ReferenceFile)?
    try waitUntil("the earlier worker lets go of \(directory)") {
        do {
            opened = (try SQLiteStateStore(directory: directory), try ReferenceFile(directory: directory))
        } catch let error as StateError where error.kind == .locked {
            return false
        }
        return true
    }
    guard let opened else { throw NoReference() }
    return opened
}

/// `@unchecked Sendable`: behind a lock.
private final class Ended: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Result<RunOutcome, any Error>?
    var result: Result<RunOutcome, any Error>? { lock.withLock { value } }
    func end(_ result: Result<RunOutcome, any Error>) { lock.withLock { value = result } }
}

struct NoReference: Error {}

extension Worker {
    func reference() throws -> WorkerStatus.Reference {
        guard let reference = status.references.first else { throw NoReference() }
        return reference
    }

    var recordsApplied: UInt64 { status.references.first?.counters.total ?? 0 }
}
