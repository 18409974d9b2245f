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
