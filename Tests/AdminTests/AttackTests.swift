import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Admin

/// One at a time: what the server's threads cost is what the process costs.
@Suite("Status page: under attack probes answer within a second, and the attack costs little", .serialized)
struct AttackTests {
    static let kinds = [
        "idle", "come-and-go", "half-requests", "byte-by-byte", "long-line", "endless-headers", "many-headers", "big-body", "chunked-body",
        "pipelining", "unread-answers", "whole-requests", "noise",
    ]
    /// How long each attack lasts.
    static let seconds = 1.0

    private static let attacker = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
        .appendingPathComponent("tools/attack-page").path

    /// CPU seconds of this process, in which nothing goes on beside the page and the few probes.
    private static func processSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }

    private static func server(_ limits: ConnectionPool.Limits = .init(), _ reports: Reports = Reports()) throws -> StatusServer {
        try StatusServer(
            host: "127.0.0.1", port: 0, access: PageAccess(place: .loopback, bound: "127.0.0.1"), limits: limits, report: reports.note
        ) { StatusServerTests.snapshot() }
    }

    final class Reports: Sendable {
        private let told = Mutex<[PageReport]>([])
        func note(_ report: PageReport) { told.withLock { $0.append(report) } }
        var all: [String] { told.withLock { $0.map(\.text) } }
    }

    /// The whole answer to a request; empty when there is none.
    static func ask(_ request: String, _ port: UInt16) -> String {
        guard let descriptor = Socket.connect(port: Int(port)) else { return "" }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        _ = Socket.write(Array(request.utf8), to: descriptor)
        return String(decoding: Socket.readAll(from: descriptor), as: UTF8.self)
    }

    @Test(arguments: kinds)
    func probesAnswerWithinASecond(kind: String) throws {
        let reports = Reports()
        let server = try Self.server(.init(), reports)
        defer { withExtendedLifetime(server) {} }
        let before = Self.processSeconds()
        let attack = try ChildProcess(Self.attacker, [kind, "\(server.port)", "\(Self.seconds)"])
        var slowest = Duration.zero
        var probes = 0
        while attack.isRunning {
            for path in ["/livez", "/readyz", "/healthz"] {
                let start = ContinuousClock.now
                let answer = Self.ask("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n", server.port)
                slowest = max(slowest, ContinuousClock.now - start)
                #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
                probes += 1
            }
            usleep(20_000)
        }
        let cost = Self.processSeconds() - before
        #expect(attack.waitForExit() == 0, "\(attack.errors)")
        #expect(slowest < .seconds(1) && probes > 10)
        let connections = try #require(attack.output.firstMatch(of: /: (\d+) connections/).flatMap { Int($0.1) })
        #expect(connections > 20, "\(attack.output)")
        // Of a build for debugging; a line of 256 KB alone once cost 55 s.
        #expect(cost < 0.3 + Double(connections) * 0.002, "\(cost) s of CPU for \(connections) connections")
        #expect(reports.all.count <= ConnectionPool.Ending.allCases.count, "each reason is told once: \(reports.all)")
    }

    // MARK: - Limits, one by one

    /// Requests, and what the answer to them begins with.
    static let requests: [(what: String, request: String, answer: String)] = [
        ("a line of 256 KB", "GET /" + String(repeating: "A", count: 256 << 10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 414"),
        (
            "headers of 64 KB",
            "GET / HTTP/1.1\r\nHost: localhost\r\n" + String(repeating: "X-A: aaaaaaaaaaaaaaaaaaaaaaaa\r\n", count: 2048) + "\r\n",
            "HTTP/1.1 431"
        ),
        ("no host", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"),
        ("another's name", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "HTTP/1.1 421"),
        ("a small body", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 405"),
        ("a big body", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n", "HTTP/1.1 413"),
        ("a body beyond numbers", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n", "HTTP/1.1 4"),
        ("a path that leads out", "GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 404"),
        ("a whole address", "GET http://evil.example/status HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 404"),
        ("only the head", "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200"),
    ]

    @Test(arguments: requests.indices)
    func whatIsTooMuchIsRefused(index: Int) throws {
        let server = try Self.server()
        let (what, request, answer) = Self.requests[index]
        let found = Self.ask(request, server.port)
        // Who sends more than is read may lose the answer, but never gets another.
        #expect(found.hasPrefix(answer) || found.isEmpty && request.utf8.count > 32 << 10, "\(what): \(found.prefix(200))")
        #expect(Self.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", server.port).hasPrefix("HTTP/1.1 200"))
    }

    @Test func aConnectionIsGoodForOneRequest() throws {
        let server = try Self.server()
        let answer = Self.ask(
            String(repeating: "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n", count: 50), server.port)
        #expect(answer.components(separatedBy: "HTTP/1.1 200").count == 2 && answer.contains("Connection: close"), "\(answer)")
    }

    @Test func aRequestThatComesByteByByteEndsInItsTime() throws {
        let reports = Reports()
        let server = try Self.server(.init(requestTime: .milliseconds(300)), reports)
        let start = ContinuousClock.now
        let descriptor = try #require(Socket.connect(port: Int(server.port)))
        defer { close(descriptor) }
        try waitUntil("the server has enough") {
            usleep(10_000)
            return !Socket.write([UInt8(ascii: "G")], to: descriptor)
        }
        let lasted = ContinuousClock.now - start
        #expect(lasted >= .milliseconds(300) && lasted < .seconds(3), "\(lasted)")
        #expect(reports.all.count == 1 && reports.all[0].contains("a request was not there whole after 0.3 seconds"), "\(reports.all)")
        #expect(Self.ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", server.port).contains("reason=\"slow_request\"} 1\n"))
    }

    @Test func anAnswerThatNobodyTakesEndsInItsTime() throws {
        let reports = Reports()
        let text = String(repeating: "a", count: 32 << 20)
        let server = try StatusServer(
            host: "127.0.0.1", port: 0, access: PageAccess(place: .loopback, bound: "127.0.0.1"),
            limits: .init(requestTime: .seconds(50), answerTime: .milliseconds(300)),
            report: reports.note
        ) {
            var snapshot = StatusServerTests.snapshot()
            snapshot.problems = [.init(time: 0, message: text)]
            return snapshot
        }
        let descriptor = try #require(Socket.connect(port: Int(server.port)))
        defer { close(descriptor) }
        #expect(Socket.write(Array("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8), to: descriptor))
        try waitUntil("the connection is ended") { !reports.all.isEmpty }
        #expect(reports.all[0].contains("an answer was not taken within 0.3 seconds"), "\(reports.all)")
    }

    @Test func halfRequestsByThousandsDoNotStay() throws {
        let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        let server = try Self.server(.init(requestTime: .milliseconds(300)))
        let attack = try ChildProcess(Self.attacker, ["half-requests", "\(server.port)", "0.5"])
        var most = 0
        while attack.isRunning { most = max(most, try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) }
        #expect(most - before < 2 * ConnectionPool.Limits().connections + 200, "other tests open descriptors too")
        #expect(Self.ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", server.port).contains("tidemark_page_connections_ended_total"))
    }

    // MARK: - The port's end

    /// The descriptor that listens on a port of this process.
    private static func listener(on port: UInt16) throws -> Int32 {
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            guard let descriptor = Int32(name) else { continue }
            var listens: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0, listens != 0 else { continue }
            let isKnown = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 }
            }
            if isKnown && UInt16(bigEndian: address.sin_port) == port { return descriptor }
        }
        throw WaitedTooLong(description: "nobody listens on \(port)")
    }

    @Test func aPortThatEndsIsOpenedAgainAndSaid() throws {
        let reports = Reports()
        let server = try Self.server(.init(), reports)
        for round in 1...2 {
            Socket.shutDown(try Self.listener(on: server.port))
            try waitUntil("the port is open again") { reports.all.count == 2 * round }
            #expect(Self.ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", server.port).hasPrefix("HTTP/1.1 200"))
        }
        #expect(
            reports.all[0].contains("port \(server.port) ended: Invalid argument") && reports.all[1].contains("open again"),
            "\(reports.all)")
    }
}
