import Simulation

/// A type of a random schema, which can say itself, write random values, and read them slowly.
indirect enum TestType {
    case null, boolean, int, long, float, double, bytes, string
    case enumeration(Int, symbols: Int)
    case fixed(Int, size: Int)
    case record(Int, [(name: String, type: TestType)])
    case array(TestType)
    case map(TestType)
    case union([TestType])

    var json: String {
        switch self {
        case .null: #""null""#
        case .boolean: #""boolean""#
        case .int: #"{"type":"int"}"#
        case .long: #""long""#
        case .float: #""float""#
        case .double: #""double""#
        case .bytes: #""bytes""#
        case .string: #"{"type":"string","connect.name":"io.debezium.data.Json"}"#
        case .enumeration(let number, let symbols):
            #"{"type":"enum","name":"e\#(number)","symbols":[\#((0..<symbols).map { "\"S\($0)\"" }.joined(separator: ","))]}"#
        case .fixed(let number, let size): #"{"type":"fixed","name":"f\#(number)","size":\#(size)}"#
        case .record(let number, let fields):
            #"{"type":"record","name":"r\#(number)","fields":[\#(fields.map { #"{"name":"\#($0.name)","type":\#($0.type.json)}"# }.joined(separator: ","))]}"#
        case .array(let items): #"{"type":"array","items":\#(items.json)}"#
        case .map(let values): #"{"type":"map","values":\#(values.json)}"#
        case .union(let branches): "[\(branches.map(\.json).joined(separator: ","))]"
        }
    }

    // MARK: - Making

    static func record(_ random: inout SeededRandom, _ names: inout Int, depth: Int = 0) -> TestType {
        names += 1
        let number = names
        return .record(
            number, (0..<Int(random.number(in: 0...7))).map { ("c\($0)", any(&random, &names, depth: depth + 1, inUnion: false)) })
    }

    private static func any(_ random: inout SeededRandom, _ names: inout Int, depth: Int, inUnion: Bool) -> TestType {
        switch Int(random.number(in: 0...(depth > 3 ? 9 : inUnion ? 12 : 13))) {
        case 0: return .null
        case 1: return .boolean
        case 2: return .int
        case 3: return .long
        case 4: return .float
        case 5: return .double
        case 6: return .bytes
        case 7: return .string
        case 8:
            names += 1
            return .enumeration(names, symbols: Int(random.number(in: 1...4)))
        case 9:
            names += 1
            return .fixed(names, size: Int(random.number(in: 0...5)))
        case 10: return record(&random, &names, depth: depth)
        case 11: return .array(any(&random, &names, depth: depth + 1, inUnion: false))
        case 12: return .map(any(&random, &names, depth: depth + 1, inUnion: false))
        default: return .union((0..<Int(random.number(in: 1...4))).map { _ in any(&random, &names, depth: depth + 1, inUnion: true) })
        }
    }

    /// Appends a random value.
    func write(_ random: inout SeededRandom, to bytes: inout AvroBytes) {
        switch self {
        case .null: break
        case .boolean: bytes.bytes.append(UInt8(random.number(in: 0...1)))
        case .int: bytes.long(Int64(random.number(in: 0...4)) - 2)
        case .long: bytes.long(Int64(bitPattern: UInt64(random.number(in: 0...Int.max))))
        case .float: bytes.float(Float(random.number(in: 0...100)) / 8)
        case .double: bytes.double(Double(random.number(in: 0...100)) / 8)
        case .bytes: bytes.data((0..<Int(random.number(in: 0...6))).map { _ in UInt8(random.number(in: 0...255)) })
        case .string: bytes.text(["", "a", "é", "🚀 longer than eight bytes"][Int(random.number(in: 0...3))])
        case .enumeration(_, let symbols): bytes.long(Int64(random.number(in: 0...symbols - 1)))
        case .fixed(_, let size): for _ in 0..<size { bytes.bytes.append(UInt8(random.number(in: 0...255))) }
        case .record(_, let fields): for field in fields { field.type.write(&random, to: &bytes) }
        case .array(let items): TestType.writeBlocks(&random, to: &bytes) { items.write(&$0, to: &$1) }
        case .map(let values):
            TestType.writeBlocks(&random, to: &bytes) { random, bytes in
                bytes.text("k")
                values.write(&random, to: &bytes)
            }
        case .union(let branches):
            let branch = Int(random.number(in: 0...branches.count - 1))
            bytes.long(Int64(branch))
            branches[branch].write(&random, to: &bytes)
        }
    }

    private static func writeBlocks(
        _ random: inout SeededRandom, to bytes: inout AvroBytes, _ item: (inout SeededRandom, inout AvroBytes) -> Void
    ) {
        for _ in 0..<random.number(in: 0...2) {
            let count = random.number(in: 1...3)
            var block = AvroBytes()
            for _ in 0..<count { item(&random, &block) }
            if random.percent(50) {
                bytes.long(Int64(count))
            } else {
                bytes.long(-Int64(count))
                bytes.long(Int64(block.bytes.count))
            }
            bytes.bytes += block.bytes
        }
        bytes.long(0)
    }

    var isWithoutBytes: Bool {
        switch self {
        case .null: true
        case .fixed(_, let size): size == 0
        case .record(_, let fields): fields.allSatisfy { $0.type.isWithoutBytes }
        default: false
        }
    }
}
