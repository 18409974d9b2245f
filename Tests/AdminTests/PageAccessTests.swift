import Foundation
import Testing

@testable import Admin

@Suite("Status page: who is shown what, as docs/SECURITY.md has it")
struct PageAccessTests {
    static let token = "0123456789abcdef0123456789abcdef"
    static let secret = "value-of-a-record"

    /// The table's columns.
    static let columns: [(access: PageAccess, authorization: String?)] = [
        (PageAccess(place: .loopback, bound: "127.0.0.1", token: token), nil),
        (PageAccess(place: .loopback, bound: "127.0.0.1", token: token), "Bearer \(token)"),
        (PageAccess(place: .network, bound: "10.1.2.3", token: token), nil),
        (PageAccess(place: .network, bound: "10.1.2.3", token: token, isOpen: true), nil),
        (PageAccess(place: .network, bound: "10.1.2.3", token: token), "Bearer \(token)"),
    ]

    static func handler(_ access: PageAccess) -> StatusHandler {
        StatusHandler(access, endings: { [] }) {
            var snapshot = StatusServerTests.snapshot()
            snapshot.problems = [.init(time: 0, message: "t: can't read \(secret)", withoutRecords: "t: trouble")]
            return snapshot
        }
    }

    /// What an answer is in the table's words.
    private static func word(_ answer: Answer) -> String {
        switch answer.status {
        case 401: "token"
        case 303: "leads to `/`"
        case 200 where answer.body.text.contains(secret): "all"
        case 200 where answer.body.text.contains("t: trouble"): "without records' content"
        case 200: "yes"
        default: "\(answer.status)"
        }
    }

    private static func page() throws -> String {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let all = try String(contentsOf: tests.deletingLastPathComponent().appendingPathComponent("docs/SECURITY.md"), encoding: .utf8)
        return try #require(all.components(separatedBy: "\n## ").first { $0.hasPrefix("The status page\n") })
    }

    /// Each cell of the table is what the page does: over all paths, places and tokens.
    @Test func theDocumentsTableIsTrue() throws {
        let rows = try Self.page().split(separator: "\n").filter { $0.hasPrefix("| `/") }.map { line in
            line.split(separator: "|").map { String($0).trimmingCharacters(in: .whitespaces) }
        }
        #expect(Set(rows.map { $0[0] }) == Set(PageAccess.Resource.allCases.map { "`\($0.rawValue)`" }))
        for row in rows {
            let path = row[0].filter { $0 != "`" }
            #expect(row.count == Self.columns.count + 1)
            for (cell, column) in zip(row.dropFirst(), Self.columns) {
                let request = RequestHead(path: path, authorizations: column.authorization.map { [$0] } ?? [])
                let found = Self.word(Self.handler(column.access).answer(request) { nil })
                // Metrics have no texts of records, whoever asks.
                let expected = path == "/metrics" && (cell == "all" || cell.hasPrefix("without")) ? "yes" : cell
                #expect(
                    found == expected, "\(path) \(column.access.place) open \(column.access.isOpen) \(column.authorization ?? "no token")")
            }
        }
    }

    @Test(arguments: PageAccess.Resource.allCases, PageAccess.Place.allCases)
    func aWrongTokenIsRefusedEverywhereButAtTheProbes(resource: PageAccess.Resource, place: PageAccess.Place) {
        let handler = Self.handler(PageAccess(place: place, bound: "10.1.2.3", token: Self.token, isOpen: true))
        let basic = Data("user:\(Self.token)x".utf8).base64EncodedString()
        for wrong in [
            "Bearer x", "Bearer", "Bearer \(Self.token)x", "Bearer \(Self.token.dropLast())", "Basic \(basic)", "Basic ?",
            "Digest \(Self.token)", "Bearer \u{600}\(Self.token)",
        ] {
            let answer = handler.answer(RequestHead(path: resource.rawValue, authorizations: [wrong])) { nil }
            #expect(answer.status == (resource == .live || resource == .ready ? 200 : 401), "\(wrong)")
        }
    }

    @Test func theTokenIsTakenAsBearerOrAsABrowsersPassword() {
        let handler = Self.handler(PageAccess(place: .network, bound: "10.1.2.3", token: Self.token))
        for right in ["Bearer \(Self.token)", "bearer \(Self.token)", "Basic \(Data("anybody:\(Self.token)".utf8).base64EncodedString())"] {
            #expect(handler.answer(RequestHead(path: "/", authorizations: [right])) { nil }.status == 200, "\(right)")
        }
        let refused = handler.answer(RequestHead(path: "/")) { nil }
        #expect(refused.status == 401 && refused.headers.count { $0.name == "WWW-Authenticate" } == 2)
    }

    @Test func withoutATokenNobodyIsShownRecordsContent() {
        for (place, isOpen) in [(PageAccess.Place.loopback, false), (.network, true), (.network, false)] {
            let handler = Self.handler(PageAccess(place: place, bound: "10.1.2.3", isOpen: isOpen))
            for resource in PageAccess.Resource.allCases {
                for authorization in ["Bearer ", "Bearer x", "Basic \(Data("a:".utf8).base64EncodedString())"] {
                    let answer = handler.answer(RequestHead(path: resource.rawValue, authorizations: [authorization])) { nil }
                    #expect(!answer.body.text.contains(Self.secret))
                }
            }
            #expect(handler.answer(RequestHead(path: "/login")) { nil }.status == 404)
        }
    }

    // MARK: - Names and other pages

    @Test(arguments: [
        "localhost", "LOCALHOST:9464", "127.0.0.1", "127.0.0.1:1", "[::1]:9464", "10.1.2.3:9464", "status.example.com",
        "Status.Example.com:80", "10.9.9.9", "192.168.7.7:9464",
    ])
    func thePageAnswersToItsOwnNames(host: String) {
        let handler = Self.handler(PageAccess(place: .loopback, bound: "10.1.2.3", hosts: ["status.example.com", "10.9.9.9"]))
        for resource in PageAccess.Resource.allCases where resource != .login {
            #expect(handler.answer(RequestHead(path: resource.rawValue, hosts: [host])) { NetworkAddress("192.168.7.7") }.status == 200)
        }
    }

    @Test(arguments: [
        "evil.example", "evil.example:9464", "", ":9464", "localhost.evil.example", "127.0.0.1.evil.example", "10.1.2.4", "[::2]", "[::1",
        "[::1]x", "localhost:9464x", "\u{600}localhost", "localhost@evil.example", "2130706433", "localhost, evil.example",
    ])
    func namesOfOthersAreRefused(host: String) {
        let handler = Self.handler(PageAccess(place: .loopback, bound: "10.1.2.3"))
        for resource in PageAccess.Resource.allCases {
            #expect(handler.answer(RequestHead(path: resource.rawValue, hosts: [host])) { NetworkAddress("192.168.7.7") }.status == 421)
        }
        #expect(handler.answer(RequestHead(path: "/", hosts: ["localhost", host])) { nil }.status == 400)
    }

    @Test func otherPagesAreRefusedWhateverTheyAsk() {
        let handler = Self.handler(PageAccess(place: .loopback, bound: "127.0.0.1"))
        for method in ["GET", "HEAD", "POST"] {
            for origin in ["http://evil.example", "https://localhost.evil.example", "null", "", "http://", "localhost"] {
                #expect(
                    handler.answer(RequestHead(method: method, path: "/", origins: [origin])) { nil }.status == 403, "\(method) \(origin)")
            }
        }
        #expect(handler.answer(RequestHead(path: "/", origins: ["http://localhost:9464"])) { nil }.status == 200)
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get"])
    func onlyReadingIsThere(method: String) {
        for (access, authorization) in Self.columns {
            for path in PageAccess.Resource.allCases.map(\.rawValue) + ["/nothing"] {
                let answer = Self.handler(access).answer(
                    RequestHead(method: method, path: path, authorizations: authorization.map { [$0] } ?? [])
                ) { nil }
                #expect(answer.status == 405 && answer.headers.contains { $0 == ("Allow", "GET, HEAD") })
            }
        }
    }

    @Test func everyAnswerForbidsWhatThePageDoesNotNeed() {
        let handler = Self.handler(PageAccess(place: .loopback, bound: "127.0.0.1", token: Self.token))
        let paths = PageAccess.Resource.allCases.map(\.rawValue) + ["/nothing"]
        let requests =
            paths.map { RequestHead(path: $0) } + [
                RequestHead(method: "POST", path: "/"), RequestHead(path: "/", hosts: ["evil.example"]),
                RequestHead(path: "/", hosts: ["a", "b"]),
                RequestHead(path: "/", origins: ["null"]), RequestHead(path: "/login", authorizations: ["Bearer \(Self.token)"]),
            ]
        for request in requests {
            let answer = handler.answer(request) { nil }
            let headers = Dictionary(answer.headers.map { ($0.name, $0.value) }) { first, _ in first }
            #expect(headers["Content-Security-Policy"]?.hasPrefix("default-src 'none'; style-src 'sha256-") == true)
            #expect(headers["Content-Security-Policy"]?.contains("frame-ancestors 'none'") == true)
            #expect(
                headers["X-Content-Type-Options"] == "nosniff" && headers["Referrer-Policy"] == "no-referrer"
                    && headers["Cache-Control"] == "no-store")
        }
    }
}
