import Foundation
import Synchronization

/// The ClickHouse engine of the `chdb-core` package behind a small HTTP front (`chdb_front.py`), on a free port.
package final class ChdbServer: TestClickHouse {
    package let port: Int
    private let directory: TemporaryDirectory
    private let child = Mutex<ChildProcess?>(nil)

    /// Starts the server and waits until it answers.
    package init() throws {
        port = freePort()
        directory = try TemporaryDirectory("tidemark-chdb")
        try start()
    }

    package func start() throws {
        let environment = try PythonEnvironment("chdb", variable: "TIDEMARK_CHDB", package: "chdb-core")
        let started = try environment.start("chdb_front.py", [String(port), directory.file("data")], workingDirectory: directory.path)
        child.withLock { $0 = started }
        try waitUntilUp(started)
    }

    package func send(_ signal: Int32) { child.withLock { $0?.send(signal) } }

    package func kill() {
        child.withLock {
            $0?.send(SIGKILL)
            $0?.waitForExit()
            $0 = nil
        }
    }
}
