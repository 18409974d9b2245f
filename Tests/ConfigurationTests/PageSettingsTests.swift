import Testing

@testable import Configuration

@Suite("Configuration: beyond loopback the page needs a token, or the word that it is open")
struct PageSettingsTests {
    private func section(_ lines: String) throws -> HTTPSection {
        try JobConfiguration(yaml: DefaultsTests.least + "\n\(lines)", file: "t.yaml").http
    }

    static let token = "0123456789abcdef"

    @Test(arguments: ["127.0.0.1:1", "127.200.3.4:1", "localhost:0", "[::1]:9464"])
    func onLoopbackNothingElseIsNeeded(bind: String) throws {
        let http = try section("http.bind: \"\(bind)\"")
        #expect(http.bind?.isLoopback == true)
        #expect(
            http.audience == "anybody on this machine reads page and metrics; nobody is shown records' content, as http.token is not set")
    }

    @Test(arguments: [
        "0.0.0.0:9464", "[::]:9464", "10.1.2.3:1", "127.0.0.1.example:1", "127.1:1", "127.0.0.256:1", "[::ffff:127.0.0.1]:1",
        "\u{600}localhost:1",
    ])
    func beyondItNothingElseIsEnough(bind: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try section("http.bind: \"\(bind)\"") }
        let said = error?.description ?? ""
        #expect(
            said.contains("t.yaml:4: http.bind: ") && said.contains("set http.token") && said.contains("http.open: true")
                && said.contains("127.0.0.1"), "\(said)")
        let closed = try section("http: {bind: \"\(bind)\", token: \(Self.token)}")
        #expect(closed.audience == "who has http.token reads everything; anybody on the network reads /livez and /readyz, and nothing else")
        let open = try section("http: {bind: \"\(bind)\", open: true}")
        #expect(open.audience?.hasPrefix("anybody on the network reads page and metrics (http.open: true); nobody") == true)
        #expect(
            try section("http: {bind: \"\(bind)\", open: true, token: \(Self.token)}").audience?.contains(
                "who has http.token is shown records' content too") == true)
        #expect(throws: ConfigurationError.self) { try section("http: {bind: \"\(bind)\", open: false}") }
    }

    @Test func thereIsNobodyToSayItOfWithoutAPage() throws {
        #expect(try section("http.bind: \"off\"").audience == nil)
    }

    @Test func theTokenIsASecretOfItsOwn() throws {
        let configuration = try JobConfiguration(
            yaml: DefaultsTests.least + "\nhttp.token: ${env:T}", file: "t.yaml", environment: ["T": Self.token])
        #expect(configuration.http.token?.revealed == Self.token && configuration.redactor.redact("has \(Self.token)") == "has <hidden>")
        let literal = try JobConfiguration(yaml: DefaultsTests.least + "\nhttp.token: \(Self.token)", file: "t.yaml")
        #expect(literal.redactor.redact("has \(Self.token)") == "has <hidden>" && !"\(literal)".contains(Self.token))
        for wrong in ["short", "with a space in it, and long", String(repeating: "a", count: 257), "0123456789abcdeé", "\"\""] {
            #expect(throws: ConfigurationError.self) { try section("http.token: \(wrong)") }
        }
    }

    @Test func hostsAreAListOfNamesAndAddresses() throws {
        #expect(try section("http.hosts: a.example, 10.0.0.1,fd00::1").hosts == ["a.example", "10.0.0.1", "fd00::1"])
        for wrong in ["a.example:80", "http://a", "a,,b", "a b", "\"\"", "*"] {
            #expect(throws: ConfigurationError.self) { try section("http.hosts: \(wrong)") }
        }
    }
}
