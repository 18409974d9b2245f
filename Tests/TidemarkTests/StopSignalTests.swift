import Foundation
import TestSupport
import Testing

@Suite("SIGTERM ends a process from its first steps on, also where it is the first one of a container")
struct StopSignalTests {
    private static let ofOnesOwn = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child"]

    /// Whether this machine lets its users make namespaces, as containers are made of.
    private static let hasNamespaces: Bool = {
        guard let tried = try? ChildProcess("/usr/bin/unshare", ofOnesOwn + ["true"]) else { return false }
        return tried.waitForExit() == 0
    }()

    private func child(of process: ChildProcess) -> Int32? {
        (try? String(contentsOfFile: "/proc/\(process.processID)/task/\(process.processID)/children", encoding: .utf8))
            .flatMap { $0.split(separator: " ").first }.flatMap { Int32($0) }
    }

    /// The process waits for signals from here on: before that the kernel has nobody to hand one to.
    private func isListening(_ process: Int32) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
            let name = status.split(separator: "\n").first(where: { $0.hasPrefix("Name:") }), name.hasSuffix("tidemark"),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("SigBlk:") }),
            let blocked = UInt64(line.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16)
        else { return false }
        return blocked & (1 << (UInt64(SIGTERM) - 1)) != 0
    }

    @Test(.enabled(if: hasNamespaces, "this machine lets nobody make namespaces"), arguments: 0..<8)
    func asTheFirstProcessOfAContainer(delay: Int) throws {
        let log = try TemporaryDirectory("tidemark-first")
        let configuration = "job: {id: first}\ninput: {kafka: {properties: {bootstrap.servers: \"127.0.0.1:\(freePort())\"}}}\n"
        try (configuration + "clickhouse: {url: \"http://127.0.0.1:\(freePort())\"}\nstate: {directory: \(log.path)/state}\n").write(
            toFile: log.file("job.yaml"), atomically: true, encoding: .utf8)
        let container = try ChildProcess(
            "/usr/bin/unshare",
            StopSignalTests.ofOnesOwn + [TidemarkBinary.path, "run", "--config", log.file("job.yaml"), "--set", "http.bind=127.0.0.1:0"])
        var first: Int32 = 0
        try waitUntil("it listens") {
            first = child(of: container) ?? 0
            return first > 0 && isListening(first)
        }
        // From the first moment on, and in those after it.
        usleep(UInt32(delay * delay) * 500)
        kill(first, SIGTERM)
        try waitUntil("it has ended", within: 10) { !container.isRunning }
    }

    /// Commands that have nothing to drain end as any program does.
    @Test func withNothingToDrain() throws {
        let process = try ChildProcess(TidemarkBinary.path, ["generate", "--brokers", "127.0.0.1:\(freePort())", "--transactions", "10"])
        try waitUntil("it listens") { isListening(process.processID) }
        process.send(SIGTERM)
        #expect(process.waitForExit() == -SIGTERM)
    }
}
