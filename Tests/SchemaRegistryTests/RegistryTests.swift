import Avro
import CurlHTTP
import Engine
import Logging
import TestSupport
import Testing

@testable import SchemaRegistry

@Suite("A schema registry is asked as its interface says, and what is no answer of one is never taken for one")
struct RegistryTests {
    private static let record = #"{"type":"record","name":"r","fields":[]}"#

    private func client(_ url: String, _ change: (inout RegistrySettings) -> Void = { _ in }) throws -> RegistryClient {
        var settings = RegistrySettings(url: url)
        change(&settings)
        return try RegistryClient(settings)
    }

    private func failure(_ url: String, _ change: (inout RegistrySettings) -> Void = { _ in }) throws -> RegistryError {
        try #require(throws: RegistryError.self) { try client(url, change).schema(SchemaID(.schema, 1)) }
    }

    @Test func aSchemaComesWithThoseThatItUses() throws {
        let directory = try TemporaryDirectory("tidemark-registry")
        let registry = try SchemaRegistryServer(file: directory.file("schemas"))
        try registry.register("\"int\"", subject: "a")
        try registry.register("[\"A\"]", subject: "b.c", references: ["a"])
        try registry.register("\"null\"", subject: "d", references: ["a"])
        let id = try registry.register(RegistryTests.record, subject: "e", references: ["d", "b.c"])
        let found = try client(registry.url).schema(SchemaID(.schema, id))
        #expect(found == .text(Array(RegistryTests.record.utf8), references: ["\"int\"", "\"null\"", "[\"A\"]"].map { Array($0.utf8) }))
    }

    @Test func aNumberThatIsNotThereIsMissing() throws {
        let directory = try TemporaryDirectory("tidemark-registry")
        let registry = try SchemaRegistryServer(file: directory.file("schemas"))
        #expect(try client(registry.url).schema(SchemaID(.schema, 7)) == .missing)
        #expect(try client(registry.url).schema(SchemaID(.schema, -7)) == .missing)
        #expect(try client("\(registry.url)/apis/registry/v3") { $0.interface = .apicurio }.schema(SchemaID(.content, 7)) == .missing)
    }

    @Test func apicurioCountsItsOwnWay() throws {
        let directory = try TemporaryDirectory("tidemark-registry")
        let registry = try SchemaRegistryServer(file: directory.file("schemas"))
        try registry.register(RegistryTests.record)
        let client = try client("\(registry.url)/apis/registry/v2") { $0.interface = .apicurio }
        #expect(try client.schema(SchemaID(.global, 1001)) == .text(Array(RegistryTests.record.utf8), references: []))
        #expect(try client.schema(SchemaID(.content, 2001)) == .text(Array(RegistryTests.record.utf8), references: []))
        #expect(try client.schema(SchemaID(.content, 1001)) == .missing)
    }

    /// Else a wrong address would have every record rejected.
    @Test func aWrongPathIsNoMissingSchema() throws {
        let directory = try TemporaryDirectory("tidemark-registry")
        let registry = try SchemaRegistryServer(file: directory.file("schemas"))
        for interface in [RegistrySettings.Interface.confluent, .apicurio] {
            let error = try failure("\(registry.url)/elsewhere") { $0.interface = interface }
            #expect(error.kind == .retry && error.message.contains("input.registry.url") && error.message.contains("404"), "\(error)")
        }
    }

    @Test func whoLogsInIsLetInAndOthersAreDenied() throws {
        let directory = try TemporaryDirectory("tidemark-registry")
        // tide:mark in Base64.
        let registry = try SchemaRegistryServer(file: directory.file("schemas"), authorization: "Basic dGlkZTptYXJr")
        try registry.register(RegistryTests.record)
        #expect(try client(registry.url) { $0.access = .basic(user: "tide", password: "mark") }.schema(SchemaID(.schema, 1)) != .missing)
        for access in [RegistrySettings.Access.open, .basic(user: "tide", password: "wrong"), .bearer(token: "mark")] {
            let error = try failure(registry.url) { $0.access = access }
            #expect(error.kind == .denied && error.message.contains("refuses") && !error.message.contains("wrong"), "\(error)")
        }
    }

    @Test func aBearerIsLetIn() throws {
        let directory = try TemporaryDirectory("tidemark-registry")
        let registry = try SchemaRegistryServer(file: directory.file("schemas"), authorization: "Bearer ebb-and-flow")
        try registry.register(RegistryTests.record)
        #expect(try client(registry.url) { $0.access = .bearer(token: "ebb-and-flow") }.schema(SchemaID(.schema, 1)) != .missing)
    }

    @Test(arguments: [
        ("200 OK", "<html>a proxy's page</html>", "does not answer as a schema registry"),
        ("200 OK", "{}", "does not answer as a schema registry"), ("200 OK", "[1]", "does not answer as"),
        ("200 OK", #"{"schema":7}"#, "does not answer as"),
        ("200 OK", #"{"schema":"1","references":[{"name":"n"}]}"#, "does not answer as"), ("200 OK", "", "does not answer as"),
        ("204 No Content", "", "does not answer as"), ("404 Not Found", #"{"error_code":40401}"#, "does not answer as"),
        ("404 Not Found", #"{"error_code":"40403"}"#, "does not answer as"),
        ("500 Internal Server Error", #"{"error_code":50001}"#, "status 500"), ("429 Too Many Requests", "", "status 429"),
        ("301 Moved", "", "leads elsewhere"),
        ("200 OK", String(repeating: "x", count: RegistryClient.answerLimit + 1), "longer than"),
    ])
    func whatIsNoAnswerIsTriedAgain(status: String, body: String, reason: String) throws {
        let server = try ScriptedHTTPServer { _ in .bytes("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)") }
        let error = try failure("http://127.0.0.1:\(server.port)")
        #expect(error.kind == .retry && error.message.contains(reason) && error.message.utf8.count < 1000, "\(error.message.prefix(1000))")
    }

    @Test func schemasThatUseEachOtherEnd() throws {
        let answer = #"{"schema":"\"int\"","references":[{"name":"n","subject":"a/b c","version":1}]}"#
        let server = try ScriptedHTTPServer { _ in .bytes("HTTP/1.1 200 OK\r\nContent-Length: \(answer.utf8.count)\r\n\r\n\(answer)") }
        #expect(
            try client("http://127.0.0.1:\(server.port)").schema(SchemaID(.schema, 1))
                == .text(Array("\"int\"".utf8), references: [Array("\"int\"".utf8)]))
        #expect(server.requests.map { $0.head.split(separator: " ")[1] } == ["/schemas/ids/1", "/subjects/a%2Fb%20c/versions/1"])
    }

    @Test func aSchemaUsesAHundredOthersAtMost() throws {
        let server = try ScriptedHTTPServer { request in
            let number = Int(request.head.split(separator: " ")[1].split(separator: "/").last ?? "") ?? 0
            let answer = #"{"schema":"\"int\"","references":[{"name":"n","subject":"s","version":\#(number + 1)}]}"#
            return .bytes("HTTP/1.1 200 OK\r\nContent-Length: \(answer.utf8.count)\r\n\r\n\(answer)")
        }
        #expect(try failure("http://127.0.0.1:\(server.port)").message.contains("more than 100 others"))
    }
}
