import Avro
import Engine
import Testing

@Suite("Records are read by the schema that they were written by; what is malformed is refused, whatever it claims")
struct ReadingTests {
    private static let all = #"""
        {"type":"record","name":"r","namespace":"n","fields":[
        {"name":"null","type":"null"},{"name":"flag","type":"boolean"},{"name":"int","type":"int"},{"name":"long","type":"long"},
        {"name":"float","type":"float"},{"name":"double","type":"double"},{"name":"bytes","type":"bytes"},{"name":"text","type":"string"},
        {"name":"symbol","type":{"type":"enum","name":"e","symbols":["A","BC"]}},{"name":"fixed","type":{"type":"fixed","name":"f","size":3}},
        {"name":"choice","type":["null","string","long"]},{"name":"inner","type":{"type":"record","name":"i","fields":[{"name":"x","type":"int"},{"name":"e","type":"e"}]}},
        {"name":"list","type":{"type":"array","items":"string"}},{"name":"map","type":{"type":"map","values":"int"}},{"name":"last","type":["null","i"]}]}
        """#

    private static func record() -> [UInt8] {
        AvroBytes.made {
            $0.bytes.append(1)
            $0.long(-3)
            $0.long(.min)
            $0.float(1.5)
            $0.double(-0.1)
            $0.data([0, 255])
            $0.text("é🚀")
            $0.long(1)
            $0.bytes += [7, 8, 9]
            $0.long(1)
            $0.text("chosen")
            $0.long(Int64(Int32.min))
            $0.long(0)
            $0.long(2)
            $0.text("a")
            $0.text("b")
            // A block that says how many bytes it has.
            $0.long(-1)
            $0.long(2)
            $0.text("c")
            $0.long(0)
            $0.long(1)
            $0.text("key")
            $0.long(4)
            $0.long(0)
            $0.long(0)
        }
    }

    @Test func everyTypeIsRead() throws {
        let schema = try AvroSchema(Array(ReadingTests.all.utf8))
        let expected =
            "{null=null flag=true int=-3 long=-9223372036854775808 float=1.5 double=-0.1 bytes=bytes 0.255 text='é🚀' symbol='BC' fixed=bytes 7.8.9 choice='chosen' inner={x=-2147483648 e='A'} list=[10 bytes] map=<7 bytes> last=null}"
        #expect(ShownFields.read(ReadingTests.record(), by: schema) == expected)
    }

    @Test func aRecordThatIsCutOffOrGoesOnIsMalformed() throws {
        let schema = try AvroSchema(Array(ReadingTests.all.utf8))
        let record = ReadingTests.record()
        for length in 0..<record.count { #expect(ShownFields.read(Array(record[..<length]), by: schema) == "malformed", "\(length)") }
        #expect(ShownFields.read(record + [0], by: schema) == "malformed")
    }

    /// A schema and what follows, in hexadecimal, with what comes out.
    @Test(arguments: [
        (#""null""#, "", "null"), (#""long""#, "00", "0"), (#""long""#, "01", "-1"),
        (#""long""#, "feffffffffffffffff01", "9223372036854775807"),
        (#""long""#, "ffffffffffffffffff01", "-9223372036854775808"), (#""long""#, "ffffffffffffffffff02", "malformed"),
        (#""long""#, "ffffffffffffffffffff01", "malformed"),
        (#""long""#, "8080808080", "malformed"), (#""int""#, "feffffff0f", "2147483647"), (#""int""#, "8080808010", "malformed"),
        (#""int""#, "feffffffffffffffff01", "malformed"),
        (#""boolean""#, "02", "malformed"), (#""string""#, "01", "malformed"), (#""string""#, "0261", "'a'"),
        (#""string""#, "02ff", "malformed"), (#""string""#, "06eda080", "malformed"),
        (#""string""#, "feffffffffffffffff01", "malformed"), (#""bytes""#, "01", "malformed"), (#"["null","int"]"#, "00", "null"),
        (#"["null","int"]"#, "0206", "3"),
        (#"["null","int"]"#, "04", "malformed"), (#"["null","int"]"#, "01", "malformed"), ("[]", "00", "malformed"),
        (#"{"type":"enum","name":"e","symbols":["A"]}"#, "00", "'A'"), (#"{"type":"enum","name":"e","symbols":["A"]}"#, "02", "malformed"),
        (#"{"type":"enum","name":"e","symbols":["A"]}"#, "01", "malformed"),
        // Blocks that claim more than there is: items without bytes by the thousand million, a size beyond the end, a negative one.
        (#"{"type":"array","items":"null"}"#, "feffffffffffffffff0100", "[11 bytes]"),
        (#"{"type":"array","items":"int"}"#, "feffffffffffffffff0102", "malformed"),
        (#"{"type":"array","items":"int"}"#, "0101", "malformed"),
        (#"{"type":"array","items":"int"}"#, "ffffffffffffffffff010000", "[12 bytes]"),
        (#"{"type":"array","items":"int"}"#, "017f", "malformed"), (#"{"type":"array","items":"int"}"#, "", "malformed"),
        (#"{"type":"map","values":"null"}"#, "0402610262", "malformed"),
        (#"{"type":"map","values":"null"}"#, "040261026200", "<6 bytes>"),
    ])
    func hostileBytesAreReadOrRefused(schema: String, hexadecimal: String, expected: String) throws {
        let digits = Array(hexadecimal)
        let bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16)! }
        #expect(ShownFields.read(bytes, by: try AvroSchema(Array(schema.utf8))) == expected)
    }

    @Test func aListOfListsEndsAtTheDepthLimit() throws {
        let schema = try AvroSchema(Array(#"{"type":"record","name":"r","fields":[{"name":"next","type":["null","r"]}]}"#.utf8))
        func nested(_ depth: Int) -> [UInt8] { Array(repeating: 2, count: depth) + [0] }
        #expect(ShownFields.read(nested(AvroPlan.depthLimit), by: schema) != "malformed")
        #expect(ShownFields.read(nested(AvroPlan.depthLimit + 1), by: schema) == "malformed")
        #expect(ShownFields.read(nested(1_000_000), by: schema) == "malformed")
    }

    /// 2 to the 60th fields without bytes are passed over in no time.
    @Test func recordsWithoutBytesTakeNoTime() throws {
        var type = #""null""#
        for level in 1...60 {
            type =
                #"{"type":"record","name":"r\#(level)","fields":[{"name":"x","type":\#(type)},{"name":"y","type":"\#(level == 1 ? "null" : "r\(level - 1)")"}]}"#
        }
        let schema = try AvroSchema(Array(#"{"type":"array","items":\#(type)}"#.utf8))
        #expect(ShownFields.read([2, 0], by: schema) == "[2 bytes]")
    }

    @Test(arguments: [
        ([0, 0, 0, 1, 2, 9] as [UInt8], SchemaFraming(), SchemaID(.schema, 258), 1),
        ([0, 0xFF, 0xFF, 0xFF, 0xFF], SchemaFraming(), SchemaID(.schema, -1), 0),
        ([0, 0, 0, 0, 0, 0, 0, 0, 7, 1, 2], SchemaFraming(space: .global, numberBytes: .eight), SchemaID(.global, 7), 2),
    ])
    func aFrameNamesTheSchema(bytes: [UInt8], framing: SchemaFraming, id: SchemaID, rest: Int) {
        bytes.withUnsafeBytes {
            let framed = framing.open(ByteView($0))
            #expect(framed?.schema == id)
            #expect(framed?.bytes.count == rest)
        }
    }

    @Test(arguments: [[], [0, 0, 0, 0], [1, 0, 0, 0, 1, 2], Array("{\"a\":1}".utf8)] as [[UInt8]])
    func whatHasNoFrameNamesNone(bytes: [UInt8]) {
        bytes.withUnsafeBytes { #expect(SchemaFraming().open(ByteView($0)) == nil) }
        #expect(SchemaFraming().open(.null) == nil)
    }
}

extension SchemaFraming.Framed: Equatable {
    package static func == (left: SchemaFraming.Framed, right: SchemaFraming.Framed) -> Bool {
        left.schema == right.schema && left.bytes == right.bytes
    }
}
