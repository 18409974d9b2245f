import CurlHTTP
import Engine
import Foundation
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("What stands in the way of ClickHouse is said with what to do")
struct AdviceTests {
    private func failure(_ url: String) throws -> SinkError? {
        var settings = ClickHouseSettings(url: url, job: "waves")
        settings.password = "hunter2"
        let connection = try ClickHouseConnection(settings)
        return #expect(throws: SinkError.self) { _ = try connection.rows("SELECT 1") }
    }

    @Test(arguments: [
        ("302 Found", "Location: http://elsewhere/\r\n", "", FailureKind.retry, "redirections are not followed", "set clickhouse.url"),
        (
            "308 Permanent Redirect", "Location: http://elsewhere/\r\n", "moved", FailureKind.retry, "redirections are not followed",
            "set clickhouse.url"
        ),
        ("401 Unauthorized", "", "", FailureKind.denied, "HTTP 401", "correct clickhouse.user and clickhouse.password"),
        (
            "403 Forbidden", "X-ClickHouse-Exception-Code: 516\r\n", "Code: 516. DB::Exception: default: Authentication failed",
            FailureKind.denied, "516", "correct clickhouse.user and clickhouse.password"
        ),
        (
            "500 Error", "", "Code: 193, e.displayText() = DB::Exception: Wrong password for user default", FailureKind.denied, "193",
            "correct clickhouse.user and clickhouse.password"
        ),
    ])
    func ofAnAnswer(status: String, headers: String, body: String, kind: FailureKind, says: String, advises: String) throws {
        let server = try ScriptedHTTPServer { _ in
            .bytes("HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        let error = try #require(try failure("http://127.0.0.1:\(server.port)"))
        #expect(error.kind == kind)
        #expect(error.message.contains(says) && error.message.contains(advises) && !error.message.contains("hunter2"), "\(error.message)")
    }

    /// What stands in front of the server answers with pages for people; the log gets a line.
    @Test(arguments: [
        (
            413, "Server: nginx/1.22.1\r\n", "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>…</body></html>",
            "client_max_body_size"
        ),
        (403, "Server: awselb/2.0\r\n", "<HTML><TITLE>403\r\nForbidden</TITLE>", "have it pass POST requests"),
        (502, "", "<html><body><h1>Bad\nGateway</h1><hr></body></html>", "ClickHouse behind it is away"),
        (504, "Server: envoy\r\n", "upstream request\ntimeout", "raise its time-out"),
        (431, "", "", "headers"), (200, "Content-Type: text/html\r\n", "<title>Log in</title>", "see to its log"),
        (500, "Server: x\r\n", "< unclosed \u{600}< tag", "see to its log"),
    ])
    func ofWhatStandsInFront(status: Int, headers: String, body: String, advises: String) throws {
        let server = try ScriptedHTTPServer { _ in
            .bytes("HTTP/1.1 \(status) X\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        let error = try #require(try failure("http://127.0.0.1:\(server.port)"))
        #expect(error.kind == .retry)
        #expect(
            error.message.contains("HTTP \(status) of") && error.message.contains("which stands in front of ClickHouse"), "\(error.message)"
        )
        #expect(error.message.contains(advises) && !error.message.contains("html") && !error.message.contains("\n"), "\(error.message)")
        if headers.contains("nginx") {
            #expect(error.message.contains("of nginx/1.22.1, which") && error.message.contains(": 413 Request Entity Too Large"))
        }
    }

    /// Of a server whose certificate nobody has signed but itself.
    @Test func ofACertificate() throws {
        let directory = try TemporaryDirectory()
        let key = directory.file("key.pem")
        let certificate = directory.file("certificate.pem")
        let made = try ChildProcess(
            "/usr/bin/openssl",
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=elsewhere", "-keyout", key, "-out", certificate])
        #expect(made.waitForExit() == 0, "\(made.errors)")
        let port = freePort()
        let server = try ChildProcess(
            "/usr/bin/openssl", ["s_server", "-accept", "127.0.0.1:\(port)", "-key", key, "-cert", certificate, "-quiet"])
        defer { server.send(SIGKILL) }
        var found: SinkError?
        try waitUntil("the server answers") {
            found = try failure("https://127.0.0.1:\(port)")
            return found?.description.contains("curl 7)") == false
        }
        let error = try #require(found)
        #expect(error.message.contains("is not trusted; see to its certificate"), "\(error)")
        #expect(error.description.contains("signed by an authority of this machine's certificates (update-ca-certificates"), "\(error)")
    }
}
