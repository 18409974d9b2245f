import Foundation
import Synchronization

/// A process that a test started: its output is kept in files, and it is ended, by its id, with the last reference.
package final class ChildProcess: Sendable {
    package let processID: Int32
    package let outputPath: String
    package let errorPath: String
    private let directory: TemporaryDirectory
    /// The status that `waitpid` gave; nil while the process runs. A process is waited for once.
    private let status = Mutex<Int32?>(nil)

    package init(_ executable: String, _ arguments: [String], environment: [String: String] = [:], workingDirectory: String? = nil) throws {
        directory = try TemporaryDirectory("tidemark-child")
        outputPath = directory.file("stdout")
        errorPath = directory.file("stderr")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errorPath, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        // The test's own sockets must not live on in the child, or closing them here would break no connection.
        _ = unsafeBitCast(try ChildProcess.gnuFunction("posix_spawn_file_actions_addclosefrom_np"), to: CloseFrom.self)(&actions, 3)
        // env(1) changes the directory and becomes the command, under the same process id.
        let command = workingDirectory.map { ["/usr/bin/env", "-C", $0, executable] } ?? [executable]
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var child: pid_t = 0
        let result = ChildProcess.withStrings(command + arguments) { arguments in
            ChildProcess.withStrings(variables.map { "\($0)=\($1)" }) { environment in
                posix_spawn(&child, command[0], &actions, nil, arguments, environment)
            }
        }
        guard result == 0 else { throw ChildProcessError(description: "can't start \(executable): \(String(cString: strerror(result)))") }
        processID = child
    }

    private typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32

    /// A function of glibc that its headers show only to those who ask for GNU extensions, which Swift's module doesn't.
    private static func gnuFunction(_ name: String) throws -> UnsafeMutableRawPointer {
        guard let function = dlsym(nil, name) else { throw ChildProcessError(description: "this libc has no \(name)") }
        return function
    }

    /// A null-terminated array of C strings, for the time of the call.
    private static func withStrings<Result>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result) -> Result {
        let copies = texts.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return body(copies + [nil])
    }

    deinit {
        send(SIGKILL)
        waitForExit()
    }

    package var isRunning: Bool { status.withLock { ChildProcess.look(at: processID, &$0) == nil } }
    package var output: String { ChildProcess.text(of: outputPath) }
    package var errors: String { ChildProcess.text(of: errorPath) }

    /// Whole characters only: the last one may be half written.
    private static func text(of path: String) -> String {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private static func look(at processID: Int32, _ known: inout Int32?) -> Int32? {
        if known == nil {
            var found: Int32 = 0
            if waitpid(processID, &found, WNOHANG) == processID { known = found }
        }
        return known
    }

    /// Sends a signal, unless the process has ended.
    package func send(_ signal: Int32) {
        status.withLock { known in
            if ChildProcess.look(at: processID, &known) == nil { kill(processID, signal) }
        }
    }

    /// Waits for the end; the exit code, or minus the signal that ended it.
    @discardableResult
    package func waitForExit() -> Int32 {
        while isRunning { usleep(5_000) }
        let ended = status.withLock { $0 } ?? 0
        return ended & 0x7F == 0 ? (ended >> 8) & 0xFF : -(ended & 0x7F)
    }
}

/// A process that could not be started.
package struct ChildProcessError: Error, CustomStringConvertible {
    package let description: String
}
