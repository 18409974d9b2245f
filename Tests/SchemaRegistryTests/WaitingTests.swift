import Avro
import Engine
import Foundation
import Logging
import TestSupport
import Testing

@testable import SchemaRegistry

@Suite("Records wait for their schemas: none is lost, none comes twice, and whoever reads goes on with everything else")
struct WaitingTests {
    private static let partition = TopicPartition(topic: "t", partition: 0)
    private static let other = TopicPartition(topic: "t", partition: 1)

    /// A record of a schema, in UTF-8.
    private static func record(_ schema: UInt8, _ text: String) -> String { "\0\0\0\0" + String(Unicode.Scalar(schema)) + text }

    /// Reads and remembers what comes.
    private final class Reading {
        let source = MemorySource(topic: "t", partitions: 2)
        let schemas: RegisteredSchemas
        let reader: any RecordReader
        private(set) var seen: [String] = []

        init(url: String, _ change: (inout RegistrySettings) -> Void = { _ in }) throws {
            var settings = RegistrySettings(url: url)
            settings.firstPause = .milliseconds(5)
            settings.longestPause = .milliseconds(50)
            change(&settings)
            schemas = RegisteredSchemas(settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let waiting = RegistrySource(source, schemas: schemas, framing: SchemaFraming())
            try waiting.open([WaitingTests.partition, WaitingTests.other].map { SourceAssignment(partition: $0, position: nil) })
            reader = try waiting.makeReader(of: [WaitingTests.partition, WaitingTests.other])
        }

        deinit { schemas.stop() }

        func poll() throws {
            try reader.poll(maximumRecords: 100, timeout: .milliseconds(20)) { event in
                switch event {
                case .records(let partition, let records):
                    for record in records { seen.append("\(partition.partition)@\(record.offset) \(record.value.text.dropFirst(5))") }
                case .end(let partition, let next): seen.append("\(partition.partition) ends at \(next)")
                }
            }
        }

        func pollUntil(_ what: String, _ condition: () -> Bool) throws {
            try waitUntil(what) {
                try poll()
                return condition()
            }
        }

        var records: [String] { seen.filter { $0.utf8.contains(UInt8(ascii: "@")) } }
    }

    @Test func aSchemaIsAskedForOnce() throws {
        let directory = try TemporaryDirectory("tidemark-registry")
        let registry = try SchemaRegistryServer(file: directory.file("schemas"))
        for _ in 0..<2 { try registry.register("\"int\"") }
        let reading = try Reading(url: registry.url)
        for number in 0..<300 {
            reading.source.append([WaitingTests.record(UInt8(1 + number % 2), "\(number)")], to: WaitingTests.partition)
        }
        try reading.pollUntil("all records come") { reading.records.count == 300 }
        #expect(reading.records == (0..<300).map { "0@\($0) \($0)" })
        #expect(registry.requests.filter { $0.hasPrefix("GET /schemas") }.sorted() == ["GET /schemas/ids/1", "GET /schemas/ids/2"])
    }

    @Test func whileTheRegistryIsAwayReadingWaitsAndGoesOnByItself() throws {
        let directory = try TemporaryDirectory("tidemark-registry")
        let port = freePort()
        let reading = try Reading(url: "http://127.0.0.1:\(port)")
        // What names no schema waits for none.
        reading.source.append(["plain"] + (0..<500).map { WaitingTests.record(1, "\($0)") }, to: WaitingTests.partition)
        try reading.pollUntil("the registry is missed") { reading.schemas.trouble != nil }
        let trouble = try #require(reading.schemas.trouble)
        #expect(trouble.contains("waits for the schema registry at http://127.0.0.1:\(port): schema 1: "), "\(trouble)")
        #expect(reading.reader.waitsFor == trouble)
        let readBefore = reading.source.readCount
        for _ in 0..<10 { try reading.poll() }
        #expect(reading.source.readCount == readBefore && readBefore <= 100, "nothing more is read meanwhile")
        #expect(reading.records == ["0@0 "])
        let registry = try SchemaRegistryServer(file: directory.file("schemas"), port: port)
        try registry.register("\"int\"")
        try reading.pollUntil("all records come") { reading.records.count == 501 }
        #expect(Array(reading.records.dropFirst()) == (0..<500).map { "0@\($0 + 1) \($0)" })
        try reading.pollUntil("the partition ends") { reading.seen.last == "1 ends at 0" || reading.seen.last == "0 ends at 501" }
        #expect(reading.schemas.trouble == nil && reading.reader.waitsFor == nil)
    }

    /// Records whose schema is known go on; those behind an unknown one, and ends, keep their place.
    @Test func aSchemaThatComesWhileTheRegistryIsAwayHoldsUpWhatIsBehindIt() throws {
        let directory = try TemporaryDirectory("tidemark-registry")
        let first = try SchemaRegistryServer(file: directory.file("schemas"))
        try first.register("\"int\"")
        let reading = try Reading(url: first.url)
        reading.source.append([WaitingTests.record(1, "a")], to: WaitingTests.partition)
        try reading.pollUntil("the first comes") { reading.records == ["0@0 a"] }
        try first.register("\"long\"")
        first.end()
        reading.source.append(
            [WaitingTests.record(1, "b"), WaitingTests.record(2, "c"), WaitingTests.record(1, "d")], to: WaitingTests.partition)
        try reading.pollUntil("the registry is missed") { reading.schemas.trouble != nil }
        #expect(reading.records == ["0@0 a", "0@1 b"])
        #expect(!reading.seen.contains("0 ends at 4"))
        let again = try SchemaRegistryServer(file: directory.file("schemas"), port: first.port)
        try reading.pollUntil("the others come") { reading.records.count == 4 }
        #expect(reading.records == ["0@0 a", "0@1 b", "0@2 c", "0@3 d"])
        try reading.pollUntil("the partition ends") { reading.seen.contains("0 ends at 4") }
        #expect(again.requests.filter { $0.hasPrefix("GET /schemas") } == ["GET /schemas/ids/2"])
    }

    @Test func recordsThatWaitKeepTheirHeaders() {
        let records = [
            TestRecord(key: "k", "v", headers: ["__op": "u", "other": "x"], timestamp: EventTime(milliseconds: 7)), TestRecord(nil),
            TestRecord("", headers: ["other": "x"]),
        ]
        let held = withRecords(records) {
            HeldRecords($0, of: WaitingTests.partition, headerNames: ["missing", "__op"].map { Array($0.utf8) })
        }
        var seen: [String] = []
        let count = held.handOver(10, while: { _ in true }) { event in
            guard case .records(WaitingTests.partition, let records) = event else { return }
            for record in records {
                let operation = record.headers.value(of: "__op")?.text ?? "-"
                seen.append(
                    "\(record.offset) \(record.key.isNull ? "null" : record.key.text) \(record.value.isNull ? "null" : record.value.text) \(operation) \(record.headers.value(of: "other") == nil) \(record.timestamp?.milliseconds ?? -1)"
                )
            }
        }
        #expect(count == 3 && held.isEmpty)
        #expect(seen == ["0 k v u true 7", "1 null null - true -1", "2 null  - true -1"])
    }

    @Test func aNumberThatTheRegistryDoesNotKnowHoldsNothingUp() throws {
        let directory = try TemporaryDirectory("tidemark-registry")
        let registry = try SchemaRegistryServer(file: directory.file("schemas"))
        let reading = try Reading(url: registry.url) { $0.missingAgainAfter = .milliseconds(10) }
        reading.source.append([WaitingTests.record(1, "a")], to: WaitingTests.partition)
        try reading.pollUntil("it comes") { reading.records == ["0@0 a"] }
        #expect(reading.schemas.schema(SchemaID(.schema, 1)) == .missing)
        // Once it is there after all, those that come later find it; and a registry that is away meanwhile holds nothing up either.
        try registry.register("\"int\"")
        try waitUntil("it is found") {
            reading.source.append([WaitingTests.record(1, "b")], to: WaitingTests.partition)
            try reading.poll()
            return reading.schemas.schema(SchemaID(.schema, 1)) != .missing
        }
        #expect(reading.schemas.schema(SchemaID(.schema, 1)) == .text(Array("\"int\"".utf8), references: []))
    }

    @Test func aPasswordThatIsWrongIsSaidAndWaitedFor() throws {
        let directory = try TemporaryDirectory("tidemark-registry")
        let registry = try SchemaRegistryServer(file: directory.file("schemas"), authorization: "Bearer right")
        try registry.register("\"int\"")
        let reading = try Reading(url: registry.url) { $0.access = .bearer(token: "wrong") }
        #expect(throws: RegistryError.self) { try reading.schemas.probe() }
        reading.source.append([WaitingTests.record(1, "a")], to: WaitingTests.partition)
        try reading.pollUntil("it is refused") { reading.schemas.trouble?.contains("refuses GET /schemas/ids/1 (401)") == true }
        #expect(reading.records == [])
    }
}
