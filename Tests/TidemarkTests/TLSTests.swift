import Foundation
import TestSupport
import Testing

@Suite("ClickHouse behind a certificate of one's own authority, and one that asks for a certificate, are reached by settings alone")
struct TLSTests {
    private let clickHouse: ClickHouseServer
    private let authority: TestAuthority
    private let log: TemporaryDirectory

    init() throws {
        clickHouse = try ClickHouseServer()
        authority = try TestAuthority()
        log = try TemporaryDirectory("tidemark-log")
        try GoldenCase.basic.layOutInput(in: log.path)
    }

    private func tables(_ url: String, _ settings: [String] = [], environment: [String: String] = [:]) throws -> FinishedRun {
        let job = try JobFixture(.directory(log.path), clickHouse, url: url, settings: settings, environment: environment)
        return try job.run("tables")
    }

    @Test func anAuthorityOfOnesOwn() throws {
        let front = try TLSFront(of: clickHouse.port, authority)
        let refused = try tables(front.url)
        #expect(refused.status != 0 && refused.errors.contains("clickhouse.certificates"), "\(refused)")
        let named = try tables(front.url, ["clickhouse.certificates=\(authority.authorities)"])
        #expect(named.status == 0, "\(named)")
        let byVariable = try tables(front.url, environment: ["SSL_CERT_FILE": authority.authorities])
        #expect(byVariable.status == 0, "\(byVariable)")
        let missing = try tables(front.url, ["clickhouse.certificates=/no/such.pem"])
        #expect(missing.errors.contains("clickhouse.certificates") && missing.errors.contains("/no/such.pem"), "\(missing)")
    }

    @Test func aServerThatAsksForACertificate() throws {
        let front = try TLSFront(of: clickHouse.port, authority, asksClients: true)
        let trusted = "clickhouse.certificates=\(authority.authorities)"
        let refused = try tables(front.url, [trusted])
        #expect(refused.status != 0, "\(refused)")
        let shown = [
            "clickhouse.clientCertificate=\(authority.clientCertificate)", "clickhouse.clientKey=\(authority.clientKey)",
        ]
        let named = try tables(front.url, [trusted] + shown)
        #expect(named.status == 0, "\(named)")
        let half = try tables(front.url, [trusted, shown[1]])
        #expect(half.errors.contains("is of no use without clickhouse.clientCertificate"), "\(half)")
        let others = try tables(front.url, [trusted, shown[0], "clickhouse.clientKey=\(authority.authorities)"])
        #expect(others.status != 0 && others.errors.contains("belong together"), "\(others)")
    }
}
