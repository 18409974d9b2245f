import Foundation
import Synchronization

/// A process that a test started: its output is kept in files, and it is ended, by its id, with the last reference.
public final class ChildProcess: Sendable {
    private let process: Mutex<Process>
    public let processID: Int32
    public let outputPath: String
    public let errorPath: String
    private let directory: TemporaryDirectory

    public init(_ executable: String, _ arguments: [String], environment: [String: String] = [:], workingDirectory: String? = nil) throws {
        directory = try TemporaryDirectory("tidemark-child")
        outputPath = directory.file("stdout")
        errorPath = directory.file("stderr")
        _ = FileManager.default.createFile(atPath: outputPath, contents: nil)
        _ = FileManager.default.createFile(atPath: errorPath, contents: nil)
        let started = Process()
        started.executableURL = URL(fileURLWithPath: executable)
        started.arguments = arguments
        started.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let workingDirectory { started.currentDirectoryURL = URL(fileURLWithPath: workingDirectory) }
        started.standardInput = FileHandle.nullDevice
        started.standardOutput = FileHandle(forWritingAtPath: outputPath)
        started.standardError = FileHandle(forWritingAtPath: errorPath)
        try started.run()
        processID = started.processIdentifier
        process = Mutex(started)
    }

    deinit {
        guard isRunning else { return }
        kill(processID, SIGKILL)
        waitForExit()
    }

    public var isRunning: Bool { process.withLock { $0.isRunning } }
    public var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }
    public var errors: String { (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? "" }

    public func send(_ signal: Int32) { if isRunning { kill(processID, signal) } }

    /// Waits for the end; the exit code, or minus the signal that ended it.
    @discardableResult
    public func waitForExit() -> Int32 {
        while isRunning { usleep(5_000) }
        return process.withLock { $0.terminationReason == .exit ? $0.terminationStatus : -$0.terminationStatus }
    }
}
