import Foundation
import Synchronization

/// The ClickHouse engine of the `chdb-core` package behind a small HTTP front (`chdb_front.py`), on a free port.
public final class ChdbServer: TestClickHouse {
    public let port: Int
    private let directory: TemporaryDirectory
    private let child = Mutex<ChildProcess?>(nil)

    /// Starts the server and waits until it answers.
    public init() throws {
        port = freePort()
        directory = try TemporaryDirectory("tidemark-chdb")
        try start()
    }

    public func start() throws {
        let python = ChdbServer.environment + "/bin/python"
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw QueryRefused(description: "\(python) is not there: tools/setup installs chdb-core (or set TIDEMARK_CHDB to a virtual environment that has it)")
        }
        let front = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("chdb_front.py").path
        let started = try ChildProcess(python, [front, String(port), directory.file("data")], workingDirectory: directory.path)
        child.withLock { $0 = started }
        try waitUntilUp(started)
    }

    public func send(_ signal: Int32) { child.withLock { $0?.send(signal) } }

    public func kill() {
        child.withLock {
            $0?.send(SIGKILL)
            $0?.waitForExit()
            $0 = nil
        }
    }

    /// The virtual environment that holds chdb-core.
    private static var environment: String {
        let variables = ProcessInfo.processInfo.environment
        if let named = variables["TIDEMARK_CHDB"] { return named }
        let cache = variables["XDG_CACHE_HOME"] ?? (variables["HOME"] ?? NSHomeDirectory()) + "/.cache"
        return cache + "/tidemark/chdb"
    }
}
