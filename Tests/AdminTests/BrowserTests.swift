import Foundation
import TestSupport
import Testing

@testable import Admin

/// What a browser makes of the page, where there is one: Debian's package chromium.
@Suite("Status page: in a browser no script runs, and nothing of the page's own is blocked", .serialized)
struct BrowserTests {
    static let chromium = "/usr/bin/chromium"
    static let isThere = FileManager.default.isExecutableFile(atPath: chromium)

    private struct Seen {
        /// The document after everything ran that was to run.
        let document: String
        /// What the browser wrote to its console and log.
        let log: String
    }

    private static func load(_ url: String) throws -> Seen {
        let profile = try TemporaryDirectory("tidemark-browser")
        let browser = try ChildProcess(
            chromium,
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
                "--disable-background-networking", "--user-data-dir=\(profile.path)", "--virtual-time-budget=1500",
                "--enable-logging=stderr",
                "--v=0", "--dump-dom", url,
            ])
        #expect(browser.waitForExit() == 0, "\(browser.errors)")
        return Seen(document: browser.output, log: browser.errors)
    }

    private static func server(_ snapshot: StatusSnapshot, token: String? = nil) throws -> StatusServer {
        let access = PageAccess(place: .loopback, bound: "127.0.0.1", token: token)
        return try StatusServer(host: "127.0.0.1", port: 0, access: access, report: { _ in }) { snapshot }
    }

    @Test(.enabled(if: isThere, "needs Debian's package chromium"), arguments: ["/", "/status", "/metrics", "/nothing", "/login"])
    func noScriptOfOthersRuns(path: String) throws {
        let server = try Self.server(HostileSnapshot.with(HostileSnapshot.markup), token: PageAccessTests.token)
        defer { withExtendedLifetime(server) {} }
        let seen = try Self.load("http://127.0.0.1:\(server.port)\(path)")
        #expect(!seen.document.isEmpty || path == "/login")
        // As texts they are there; as elements they would be without their escapes.
        for element in ["<img", "<script", "<title>ran"] {
            #expect(!seen.document.utf8.contains(element.utf8), "\(path): \(seen.document)")
        }
        #expect(!seen.log.contains("Content Security Policy") && !seen.log.contains("Refused to"), "\(seen.log)")
        if path == "/" { #expect(seen.document.contains("&lt;img src=x onerror=") && seen.document.contains("<table>")) }
    }

    /// The style is the page's own: a browser that refused it would say so. And what would run does, without the guard: this test can fail.
    @Test(.enabled(if: isThere, "needs Debian's package chromium"))
    func theBrowserSaysWhatIsBlocked() throws {
        let directory = try TemporaryDirectory("tidemark-browser")
        let page = StatusPage(snapshot: StatusServerTests.snapshot()).html
        let policy =
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='\">"
        try page.replacing("<head>", with: "<head>\(policy)").write(
            toFile: directory.file("blocked.html"), atomically: true, encoding: .utf8)
        #expect(try Self.load("file://\(directory.file("blocked.html"))").log.contains("Content Security Policy"))
        let open = page.replacing("</body>", with: "<img src=x onerror=\"document.title='ran'\"></body>")
        try open.write(toFile: directory.file("open.html"), atomically: true, encoding: .utf8)
        #expect(try Self.load("file://\(directory.file("open.html"))").document.contains("<title>ran</title>"))
    }
}

extension String.UTF8View {
    fileprivate func contains(_ other: String.UTF8View) -> Bool { firstRange(of: other) != nil }
}
