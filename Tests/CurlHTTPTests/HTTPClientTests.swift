import CurlHTTP
import Foundation
import Synchronization
import TestSupport
import Testing

private func ok(_ body: String = "") -> ScriptedHTTPServer.Reply {
    .bytes("HTTP/1.1 200 OK\r\nX-Mark: tide \r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
}

extension HTTPClient {
    /// A POST of `body` to a test's server.
    fileprivate func post(
        _ port: Int, _ body: [UInt8] = [], headers: [(String, String)] = [], timeout: Duration = .seconds(20),
        isCancelled: () -> Bool = { false }
    ) throws -> HTTPResponse {
        let named = headers.map { (name: $0.0, value: $0.1) }
        let request = HTTPRequest(.post, url: "http://127.0.0.1:\(port)/path?secret=1", headers: named, totalTimeout: timeout)
        return try body.withUnsafeBytes { try perform(request, body: $0, isCancelled: isCancelled) }
    }
}

@Suite("The HTTP client")
struct HTTPClientTests {
    @Test func returnsStatusHeadersAndBodyOfAnyAnswer() throws {
        let server = try ScriptedHTTPServer { _ in .bytes("HTTP/1.1 404 No\r\nX-Mark:  a:b \r\nContent-Length: 4\r\n\r\nlost") }
        let response = try HTTPClient().post(server.port)
        #expect(response.status == 404)
        #expect(response.header("x-mark") == "a:b")
        #expect(response.header("absent") == nil)
        #expect(response.text == "lost")
    }

    @Test func sendsTheBodyWholeAndNeverWaitsForAContinue() throws {
        let server = try ScriptedHTTPServer { _ in ok() }
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        _ = try HTTPClient().post(server.port, body, headers: [("X-Key", "it's"), ("X-Empty", "")])
        let request = try #require(server.requests.first)
        #expect(request.body == body)
        #expect(request.head.contains("X-Key: it's\r\n"))
        #expect(request.head.contains("X-Empty:\r\n"))
        #expect(!request.head.contains("Expect"))
    }

    @Test func keepsItsConnection() throws {
        let server = try ScriptedHTTPServer { _ in ok() }
        let client = try HTTPClient()
        for _ in 0..<3 { _ = try client.post(server.port, [1, 2, 3]) }
        #expect(server.requests.map(\.connection) == [0, 0, 0])
    }

    /// libcurl by itself repeats a request when a kept connection ends before an answer: an INSERT could land twice.
    @Test(
        "Promise 2: a request whose kept connection breaks is unknown, and not sent again behind our back",
        arguments: [1, 70_000, 2_000_000])
    func neverRepeatsARequest(bodyBytes: Int) throws {
        let server = try ScriptedHTTPServer { $0.body.first == 7 ? .close : ok() }
        let client = try HTTPClient()
        _ = try client.post(server.port, [1])
        let body = [UInt8](repeating: 7, count: bodyBytes)
        let error = #expect(throws: HTTPError.self) { try client.post(server.port, body) }
        #expect(error?.kind == .unknown)
        #expect(server.requests.count { $0.body.first == 7 } == 1)
        #expect(server.requests.last?.connection == 0, "the connection was a kept one")
    }

    @Test func knowsThatNothingWasSentWhenNobodyListens() throws {
        let port = freePort()
        let error = #expect(throws: HTTPError.self) { try HTTPClient().post(port, [1]) }
        #expect(error?.kind == .nothingSent)
    }

    @Test func aTimeoutIsUnknown() throws {
        let server = try ScriptedHTTPServer { _ in .nothing }
        let error = #expect(throws: HTTPError.self) { try HTTPClient().post(server.port, [1], timeout: .milliseconds(300)) }
        #expect(error?.kind == .unknown)
        #expect(error?.message.contains("secret") == false, "\(String(describing: error))")
    }

    @Test func isCancelledWhileItWaits() throws {
        let server = try ScriptedHTTPServer { _ in .nothing }
        let asked = Mutex(0)
        let error = #expect(throws: HTTPError.self) {
            try HTTPClient().post(
                server.port, [1],
                isCancelled: {
                    asked.withLock {
                        $0 += 1
                        return $0 > 3
                    }
                })
        }
        #expect(error?.kind == .cancelled)
    }

    @Test func anAnswerBeyondItsLimitIsUnknown() throws {
        let server = try ScriptedHTTPServer { _ in ok(String(repeating: "x", count: 5000)) }
        var settings = HTTPClientSettings()
        settings.responseBodyLimit = 1000
        let client = try HTTPClient(settings: settings)
        let error = #expect(throws: HTTPError.self) { try client.post(server.port) }
        #expect(error?.kind == .unknown)
        #expect(error?.message.contains("longer than 1000 bytes") == true)
    }

    @Test func doesNotFollowRedirects() throws {
        let server = try ScriptedHTTPServer { _ in .bytes("HTTP/1.1 302 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n") }
        #expect(try HTTPClient().post(server.port).status == 302)
        #expect(server.requests.count == 1)
    }

    @Test(arguments: ["ftp://127.0.0.1/", "http://", "no url at all"])
    func refusesWhatIsNoURL(url: String) throws {
        let client = try HTTPClient()
        let error = #expect(throws: HTTPError.self) { try client.perform(HTTPRequest(.get, url: url)) }
        #expect(error?.kind == .invalidRequest || error?.kind == .nothingSent)
    }

    @Test func refusesALineBreakInAHeader() throws {
        let error = #expect(throws: HTTPError.self) { try HTTPClient().post(freePort(), headers: [("X-Key", "a\r\nX-Other: b")]) }
        #expect(error?.kind == .invalidRequest)
    }

    /// What the kernel still held of a request that was given up must not reach the server later.
    @Test func givingUpResetsTheConnection() throws {
        let (listener, port) = try Socket.listen()
        defer { close(listener) }
        let body = [UInt8](repeating: 1, count: 30 << 20)
        #expect(throws: HTTPError.self) { try HTTPClient().post(port, body, timeout: .milliseconds(300)) }
        let accepted = accept(listener, nil, nil)
        defer { close(accepted) }
        var received = 0
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        var count = 0
        repeat {
            count = read(accepted, &piece, piece.count)
            received += max(count, 0)
        } while count > 0
        #expect(count == -1 && errno == ECONNRESET, "an orderly end would let buffered bytes through first")
        #expect(received < body.count)
    }

    /// In a process of its own, whose environment nobody else has.
    @Test func nothingOfTheEnvironmentCounts() async throws {
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let keys = directory.file("keys")
            let server = try ScriptedHTTPServer { _ in .bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }
            try Data("machine 127.0.0.1 login user password secret\n".utf8).write(to: URL(fileURLWithPath: directory.file(".netrc")))
            setenv("HOME", directory.path, 1)
            setenv("CURL_HOME", directory.path, 1)
            setenv("SSLKEYLOGFILE", keys, 1)
            for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
                setenv(name, "http://127.0.0.1:1", 1)
            }
            let client = try HTTPClient()
            guard getenv("SSLKEYLOGFILE") == nil, !FileManager.default.fileExists(atPath: keys) else { exit(1) }
            let answer = try client.perform(HTTPRequest(.get, url: "http://127.0.0.1:\(server.port)/"))
            guard answer.text == "ok", server.requests.count == 1, !server.requests[0].head.contains("Authorization") else { exit(2) }
            exit(0)
        }
    }
}
