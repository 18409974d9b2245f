import Foundation
import Synchronization

/// A process that a test started: its output is kept in files, and it is ended, by its id, with the last reference.
///
/// Not on Foundation's `Process`, which takes a child that closes the descriptors it inherited (as clickhouse-server
/// does) for ended, and then notices no other child's end either.
public final class ChildProcess: Sendable {
    public let processID: Int32
    public let outputPath: String
    public let errorPath: String
    private let directory: TemporaryDirectory
    /// The exit code, or minus the signal that ended it; nil while it runs.
    private let ending = Mutex<Int32?>(nil)

    public init(_ executable: String, _ arguments: [String], environment: [String: String] = [:], workingDirectory: String? = nil) throws {
        directory = try TemporaryDirectory("tidemark-child")
        outputPath = directory.file("stdout")
        errorPath = directory.file("stderr")
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        processID = try ChildProcess.spawn(
            [executable] + arguments, environment: variables.map { "\($0)=\($1)" }, workingDirectory: workingDirectory,
            output: outputPath, errors: errorPath
        )
    }

    deinit {
        guard isRunning else { return }
        kill(processID, SIGKILL)
        waitForExit()
    }

    private static func spawn(
        _ command: [String], environment: [String], workingDirectory: String?, output: String, errors: String
    ) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        // The test's own sockets must not live on in the child.
        let closeFrom = unsafeBitCast(try gnuFunction("posix_spawn_file_actions_addclosefrom_np"), to: CloseFrom.self)
        _ = closeFrom(&actions, 3)
        if let workingDirectory {
            let changeDirectory = unsafeBitCast(try gnuFunction("posix_spawn_file_actions_addchdir_np"), to: ChangeDirectory.self)
            _ = changeDirectory(&actions, workingDirectory)
        }
        var arguments = command.map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, command[0], &actions, nil, &arguments, &variables)
        guard code == 0 else { throw WaitedTooLong(description: "\(command[0]) can't be started: \(String(cString: strerror(code)))") }
        return child
    }

    private typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
    private typealias ChangeDirectory = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, UnsafePointer<CChar>) -> Int32

    /// A function of glibc that its headers show only to those who ask for GNU extensions, which Swift's module doesn't.
    private static func gnuFunction(_ name: String) throws -> UnsafeMutableRawPointer {
        guard let function = dlsym(nil, name) else { throw WaitedTooLong(description: "this libc has no \(name)") }
        return function
    }

    public var isRunning: Bool {
        ending.withLock { ending in
            guard ending == nil else { return false }
            var status: Int32 = 0
            guard waitpid(processID, &status, WNOHANG) == processID else { return true }
            let signal = status & 0x7F
            ending = signal == 0 ? (status >> 8) & 0xFF : -signal
            return false
        }
    }

    public var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }
    public var errors: String { (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? "" }

    public func send(_ signal: Int32) { if isRunning { kill(processID, signal) } }

    /// Waits for the end; the exit code, or minus the signal that ended it.
    @discardableResult
    public func waitForExit() -> Int32 {
        while isRunning { usleep(2_000) }
        return ending.withLock { $0! }
    }
}
