import CurlHTTP
import Foundation
import TestSupport
import Testing

@Suite("The HTTP client with bodies that don't lie in memory")
struct HTTPStreamTests {
    private func answer(_ status: String, _ body: String) -> ScriptedHTTPServer.Reply {
        .bytes("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    private func request(_ method: HTTPRequest.Method, _ server: ScriptedHTTPServer) -> HTTPRequest {
        HTTPRequest(method, url: "http://127.0.0.1:\(server.port)/a%20b?secret=1", totalTimeout: .seconds(20))
    }

    private func withFile<Result>(_ bytes: [UInt8], _ body: (Int32) throws -> Result) throws -> Result {
        let directory = try TemporaryDirectory("tidemark-http")
        try Data(bytes).write(to: URL(fileURLWithPath: directory.file("body")))
        let descriptor = open(directory.file("body"), O_RDONLY)
        defer { close(descriptor) }
        return try body(descriptor)
    }

    @Test func sendsAFileWhole() throws {
        let server = try ScriptedHTTPServer { [self] _ in answer("200 OK", "") }
        let bytes = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let response = try withFile(bytes) { try HTTPClient().perform(request(.put, server), file: $0, length: bytes.count) }
        #expect(response.status == 200)
        #expect(server.requests.map(\.body) == [bytes])
    }

    @Test func aFileThatBecameShorterEndsTheRequest() throws {
        let server = try ScriptedHTTPServer { [self] _ in answer("200 OK", "") }
        let error = #expect(throws: HTTPError.self) {
            try withFile([1, 2, 3]) { try HTTPClient().perform(request(.put, server), file: $0, length: 4) }
        }
        #expect(error?.message.contains("became shorter") == true)
        #expect(server.requests.isEmpty)
    }

    @Test("Promise 2: a file is not sent again behind our back", arguments: [3, 2_000_000])
    func neverRepeatsAFile(length: Int) throws {
        let server = try ScriptedHTTPServer { [self] in $0.head.hasPrefix("PUT") ? .close : answer("200 OK", "") }
        let client = try HTTPClient()
        _ = try client.perform(request(.get, server))
        let error = #expect(throws: HTTPError.self) {
            try withFile([UInt8](repeating: 7, count: length)) { try client.perform(request(.put, server), file: $0, length: length) }
        }
        #expect(error?.kind == .unknown)
        #expect(server.requests.count { $0.head.hasPrefix("PUT") } == 1)
    }

    @Test func handsOverTheBodyOfASuccessAlone() throws {
        let long = String(repeating: "tide", count: 100_000)
        let server = try ScriptedHTTPServer { [self] in $0.head.contains("/a%20b") ? answer("200 OK", long) : answer("404 No", "lost") }
        var settings = HTTPClientSettings()
        settings.responseBodyLimit = 1000
        let client = try HTTPClient(settings: settings)
        var received: [UInt8] = []
        let found = try client.perform(request(.get, server)) {
            received += $0
            return nil
        }
        #expect(found.body == [])
        #expect(received == Array(long.utf8), "the limit is for what is kept in memory")
        let missing = try client.perform(HTTPRequest(.get, url: "http://127.0.0.1:\(server.port)/other")) { _ in "not for the receiver" }
        #expect(missing.status == 404)
        #expect(missing.text == "lost")
    }

    @Test func aReceiverThatCantGoOnEndsTheRequest() throws {
        let server = try ScriptedHTTPServer { [self] _ in answer("200 OK", "body") }
        let error = #expect(throws: HTTPError.self) { try HTTPClient().perform(request(.get, server)) { _ in "the disk is full" } }
        #expect(error?.message.contains("the disk is full") == true)
        #expect(error?.message.contains("secret") == false)
    }

    @Test func aConnectionThatStandsStillIsGivenUp() throws {
        let server = try ScriptedHTTPServer { _ in .bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") }
        var stalling = request(.get, server)
        stalling.stallTimeout = .seconds(1)
        let error = #expect(throws: HTTPError.self) { try HTTPClient().perform(stalling) }
        #expect(error?.kind == .unknown)
    }

    /// The hash of the body, the time and the scope are signed; the secret is not sent. S3's own tests check the signature.
    @Test func signsWithoutSendingTheSecret() throws {
        let server = try ScriptedHTTPServer { [self] _ in answer("200 OK", "") }
        var signed = request(.get, server)
        signed.headers = [(name: "x-amz-content-sha256", value: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
        signed.signature = AWSSignature(accessKey: "AKID", secretKey: "SECRETSECRET", region: "eu-north-1", service: "s3")
        let client = try HTTPClient()
        _ = try client.perform(signed)
        _ = try client.perform(request(.get, server))
        let heads = server.requests.map(\.head)
        #expect(heads[0].contains("Authorization: AWS4-HMAC-SHA256 Credential=AKID/"))
        #expect(heads[0].contains("/eu-north-1/s3/aws4_request"))
        #expect(!heads[0].contains("SECRETSECRET"))
        #expect(!heads[1].contains("Authorization"), "the next request is as it says")
    }
}
