import Engine
import TestSupport
import Testing

@testable import KafkaIO

@Suite("Kafka output: a row is one JSON object with its table's columns")
struct RowJSONTests {
    private static func objects(_ columns: [OutputColumn], keyColumn: String? = nil, _ rows: [[TestValue]]) throws -> [(
        key: String?, value: String
    )] {
        let table = OutputTable(
            "t", timeColumn: "at", orderBy: ["at"], keyColumn: keyColumn, columns: columns + [OutputColumn("at", .time)])
        let batch = SinkBatch(table, number: 1, lineage: 1, rows: rows.map { $0 + [.time(0)] })
        var json = RowJSON()
        var found: [(String?, String)] = []
        try json.forEachRow(of: batch) { key, value in found.append((key.isNull ? nil : key.text, value.text)) }
        return found
    }

    @Test func everyTypeHasItsForm() throws {
        let values: [(TestValue, String)] = [
            (.text("plain"), #""plain""#), (.text("\"\\\n\u{1}é€😀"), #""\"\\\u000a\u0001é€😀""#), (.text(""), #""""#),
            (.count(0), "0"), (.count(.max), "18446744073709551615"),
            (.number(0.1), "0.1"), (.number(-2), "-2.0"), (.number(1e300), "1e+300"), (.number(.nan), "null"), (.number(.infinity), "null"),
            (.flag(true), "true"), (.flag(false), "false"),
            (.time(0), #""1970-01-01T00:00:00.000Z""#), (.time(1_705_314_030_123), #""2024-01-15T10:20:30.123Z""#),
            (.time(-1), #""1969-12-31T23:59:59.999Z""#), (.time(.max), "null"),
            (.amount(0), #""0.00""#), (.amount(-5), #""-0.05""#), (.amount(.min), #""-92233720368547758.08""#),
            (.sum(.max), #""1701411834604692317316873037158841057.27""#), (.sum(123_456), #""1234.56""#),
            (.textCounts([]), "{}"), (.textCounts([("b", 2), ("a", 1), ("\"", 3)]), #"{"\"":3,"a":1,"b":2}"#),
            (.texts([]), "[]"), (.texts(["x", "y\t"]), #"["x","y\u0009"]"#),
        ]
        for (value, expected) in values {
            let found = try RowJSONTests.objects([OutputColumn("c", value.type)], [[value]])
            #expect(found.map(\.value) == [#"{"c":\#(expected),"at":"1970-01-01T00:00:00.000Z"}"#])
        }
    }

    @Test func rowsKeepTheirOrderAndKeys() throws {
        let columns = [OutputColumn("n", .count), OutputColumn("who", .text)]
        let found = try RowJSONTests.objects(
            columns, keyColumn: "who", [[.count(1), .text("a")], [.count(2), .text("")], [.count(3), .text("b")]])
        #expect(found.map(\.key) == ["a", nil, "b"])
        #expect(found.map(\.value).map { String($0.prefix(6)) } == [#"{"n":1"#, #"{"n":2"#, #"{"n":3"#])
        #expect(try RowJSONTests.objects(columns, [[.count(1), .text("a")]]).map(\.key) == [nil])
    }

    @Test func bytesThatAreNoTextBecomeText() throws {
        let table = OutputTable(
            "t", timeColumn: "at", orderBy: ["at"], columns: [OutputColumn("at", .time), OutputColumn("payload", .text)])
        var row = ByteWriter()
        row.write(fixed: Int64(0))
        row.write(varint: 3)
        for byte: UInt8 in [0x61, 0xFF, 0x62] { row.write(byte: byte) }
        let chunk = OutboxChunk(
            id: ChunkID(table: "t", task: TaskID(stage: "s", partition: 0), epoch: Epoch(1), sequence: 0), layout: table, partition: 0,
            rowCount: 1, bytes: row.copy())
        var json = RowJSON()
        try json.forEachRow(
            of: SinkBatch(table: "t", lineage: .first, number: BatchNumber(1), layout: table, partition: 0, chunks: [chunk])
        ) { _, value in
            #expect(value.text.hasSuffix("\"payload\":\"a\u{FFFD}b\"}"))
        }
        let cut = OutboxChunk(id: chunk.id, layout: table, partition: 0, rowCount: 1, bytes: Array(chunk.bytes.dropLast()))
        let damaged = SinkBatch(table: "t", lineage: .first, number: BatchNumber(1), layout: table, partition: 0, chunks: [cut])
        #expect(message { try json.forEachRow(of: damaged) { _, _ in } }.contains("no rows of its table"))
    }
}
