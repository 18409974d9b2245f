import CurlHTTP
import Foundation
import TestSupport
import Testing

@Suite("The status page of a worker: who may read it is said, and no descriptors are needed to be alive")
struct PageDefenceTests {
    private static let token = "a-token-of-this-test-0123456789"

    private static func startedJob(_ settings: [String], environment: [String: String] = [:]) throws -> (JobFixture, TemporaryDirectory) {
        let log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
        return (try JobFixture(.directory(log.path), ClickHouseServer(), settings: settings, environment: environment), log)
    }

    private static func status(_ url: String, token: String? = nil) throws -> Int {
        let headers = token.map { [(name: "Authorization", value: "Bearer \($0)")] } ?? []
        return try HTTPClient().perform(HTTPRequest(.get, url: url, headers: headers)).status
    }

    @Test func beyondLoopbackNothingStartsUntilItIsSaidWhoMayRead() throws {
        let (job, log) = try Self.startedJob(["http.bind=0.0.0.0:0"])
        defer { withExtendedLifetime(log) {} }
        for command in ["run", "check"] {
            let refused = try job.run(command)
            let said = refused.errors + refused.output
            #expect(
                refused.status != 0 && said.contains("http.bind") && said.contains("set http.token") && said.contains("http.open: true"),
                "\(command): \(said)")
        }
        let open = try job.run("check", ["--set", "http.open=true"])
        #expect(
            open.output.contains(
                "status page: 0.0.0.0:0: anybody on the network reads page and metrics (http.open: true); nobody is shown records' content"),
            "\(open.output)")
        let short = try job.run("check", ["--set", "http.token=short-secret"])
        #expect(
            short.status != 0 && (short.output + short.errors).contains("http.token: expected 16 to 256")
                && !(short.output + short.errors).contains("short-secret"))
    }

    @Test func aTokenOpensThePageOnTheNetworkAndIsShownNowhere() throws {
        let (job, log) = try Self.startedJob(
            ["http.bind=0.0.0.0:0", "http.token=${env:PAGE_TOKEN}", "log.level=trace"], environment: ["PAGE_TOKEN": Self.token])
        defer { withExtendedLifetime(log) {} }
        let check = try job.run("check")
        #expect(check.output.contains("status page: 0.0.0.0:0: who has http.token reads everything"), "\(check.output) \(check.errors)")
        let worker = try job.start()
        let page = try statusPage(of: worker).replacingOccurrences(of: "0.0.0.0", with: "127.0.0.1")
        #expect(
            worker.errors.contains("who has http.token reads everything; anybody on the network reads /livez and /readyz, and nothing else")
        )
        try waitUntil("the job runs") { try Self.status(page + "readyz") == 200 }
        for path in ["", "status", "metrics", "healthz"] {
            #expect(try Self.status(page + path) == 401 && Self.status(page + path, token: Self.token + "x") == 401)
            #expect(try Self.status(page + path, token: Self.token) == 200)
        }
        worker.send(SIGTERM)
        #expect(worker.waitForExit() == 0, "\(worker.errors)")
        #expect(!worker.errors.contains(Self.token) && !check.output.contains(Self.token))
    }

    /// Files and sockets may take all descriptors that a worker may have: a supervisor must not take it for dead.
    @Test func probesAreAnsweredWithoutAnyDescriptorLeft() throws {
        let (job, log) = try Self.startedJob([])
        defer { withExtendedLifetime(log) {} }
        let worker = try job.start()
        let page = try statusPage(of: worker)
        try waitUntil("the job runs") { try Self.status(page + "readyz") == 200 }
        let port = try #require(URL(string: page)?.port)
        var idle: [Int32] = []
        defer { idle.forEach { close($0) } }
        // Every descriptor that is free now is one too many, so that connections beyond this number find none.
        let held = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(worker.processID)/fd").compactMap { Int($0) }.max() ?? 0
        let limited = try ChildProcess("/usr/bin/prlimit", ["--pid", "\(worker.processID)", "--nofile=\(held + 1):\(held + 1)"])
        #expect(limited.waitForExit() == 0, "\(limited.errors)")
        for _ in 0..<60 { if let connection = Socket.connect(port: port) { idle.append(connection) } }
        for _ in 0..<20 {
            let start = ContinuousClock.now
            #expect(try Self.status(page + "livez") == 200)
            #expect(ContinuousClock.now - start < .seconds(1))
        }
        try waitUntil("the lack is said") { worker.errors.contains("the status page can't take a connection: Too many open files") }
        #expect(worker.isRunning)
    }
}
