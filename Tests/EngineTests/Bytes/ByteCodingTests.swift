import Simulation
import Testing

@testable import Engine

@Suite("Bytes: what a writer wrote a reader gives back, and damaged bytes are noticed")
struct ByteCodingTests {
    static let unsignedEdges: [UInt64] = [0, 1, 127, 128, 16_383, 16_384, 1 << 31, 1 << 32, 1 << 62, 1 << 63, .max - 1, .max]
    static let signedEdges: [Int64] = [0, 1, -1, 63, 64, -64, -65, .max, .min, .max - 1, .min + 1, 1 << 62, -(1 << 62)]
    static let wideEdges: [Int128] = [
        0, 1, -1, Int128(Int64.max), Int128(Int64.min), Int128(UInt64.max), .max, .min, .max - 1, .min + 1, 1 << 64, -(1 << 64),
    ]

    /// Reads what `write` wrote; nothing may be left or missing.
    private func roundTrip<Value>(_ write: (inout ByteWriter) -> Void, _ read: (inout ByteReader) -> Value) -> Value {
        var writer = ByteWriter(capacity: 16)
        write(&writer)
        var reader = ByteReader(writer.view)
        let value = read(&reader)
        #expect(!reader.failed)
        #expect(reader.isAtEnd)
        return value
    }

    @Test(arguments: unsignedEdges)
    func varintsAtTheirEdges(number: UInt64) {
        #expect(roundTrip({ $0.write(varint: number) }, { $0.varint() }) == number)
    }

    @Test(arguments: signedEdges)
    func zigzagAtItsEdges(number: Int64) {
        #expect(roundTrip({ $0.write(zigzag: number) }, { $0.zigzag() }) == number)
    }

    @Test(arguments: wideEdges)
    func zigzagOf128BitsAtItsEdges(number: Int128) {
        #expect(roundTrip({ $0.write(zigzag128: number) }, { $0.zigzag128() }) == number)
        #expect(roundTrip({ $0.write(fixed: number) }, { $0.fixed() }) == number)
    }

    @Test func smallNumbersOfEitherSignTakeOneByte() {
        var writer = ByteWriter()
        for number in Int64(-64)...63 { writer.write(zigzag: number) }
        #expect(writer.count == 128)
    }

    @Test func theEncodingIsTheStoredOne() {
        var writer = ByteWriter()
        writer.write(varint: 300)
        writer.write(zigzag: -1)
        writer.write(zigzag128: -2)
        writer.write(fixed: UInt32(0x0102_0304))
        "ab".withBytes { writer.write(text: $0) }
        #expect(writer.copy() == [0xAC, 0x02, 0x01, 0x03, 0x00, 0x04, 0x03, 0x02, 0x01, 0x02, 0x61, 0x62])
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func randomSequencesRoundTrip(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var writer = ByteWriter(capacity: 16)
        var checks: [(inout ByteReader) -> Bool] = []
        for _ in 0..<500 {
            let bits = UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64.random(in: 0...63, using: &random)
            let wide = Int128(truncatingIfNeeded: UInt128(bits) << UInt128.random(in: 0...64, using: &random))
            let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            switch Int.random(in: 0...5, using: &random) {
            case 0:
                writer.write(varint: bits)
                checks.append { $0.varint() == bits }
            case 1:
                writer.write(zigzag: Int64(bitPattern: bits))
                checks.append { $0.zigzag() == Int64(bitPattern: bits) }
            case 2:
                writer.write(zigzag128: wide)
                checks.append { $0.zigzag128() == wide }
            case 3:
                text.withView { writer.write(text: $0) }
                checks.append { $0.text().copy() == text }
            case 4:
                writer.write(byte: UInt8(truncatingIfNeeded: bits))
                checks.append { $0.byte() == UInt8(truncatingIfNeeded: bits) }
            default:
                writer.write(fixed: bits)
                checks.append { $0.fixed(UInt64.self) == bits }
            }
        }
        var reader = ByteReader(writer.view)
        #expect(checks.allSatisfy { $0(&reader) })
        #expect(reader.isAtEnd && !reader.failed)
        // Cut anywhere, the bytes never read beyond their end, and the loss is noticed.
        for _ in 0..<50 {
            var cut = ByteReader(writer.view.prefix(Int.random(in: 0..<writer.count, using: &random)))
            #expect(!checks.allSatisfy { $0(&cut) } || cut.failed)
        }
    }

    @Test(arguments: [[], [0x80], Array(repeating: 0xFF, count: 9), Array(repeating: 0xFF, count: 11)] as [[UInt8]])
    func aVarintThatDoesNotEndIsNoticed(bytes: [UInt8]) {
        bytes.withView { view in
            var reader = ByteReader(view)
            #expect(reader.varint() == 0)
            #expect(reader.failed && reader.isAtEnd)
        }
    }

    @Test func aTextLongerThanWhatIsLeftIsNoticed() {
        ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x61] as [UInt8]).withView { view in
            var reader = ByteReader(view)
            #expect(reader.text().count == 0)
            #expect(reader.failed)
        }
    }

    @Test func aWriterKeepsItsMemoryAndForgetsItsBytes() {
        var writer = ByteWriter(capacity: 16)
        for _ in 0..<100 { writer.write(fixed: UInt64.max) }
        writer.truncate(to: 8)
        #expect(writer.copy() == Array(repeating: 0xFF, count: 8))
        writer.removeAll()
        #expect(writer.isEmpty && writer.take() == [])
    }

    @Test func viewsCompareByTheirBytes() {
        "abc".withBytes { abc in
            #expect(abc == "abc" && abc.prefix(2) == "ab" && !(abc == "abd"))
            #expect(abc.prefix(2) < abc && !(abc < abc.prefix(2)) && !(abc < abc))
            #expect(ByteView.null == abc.prefix(0) && ByteView.null.isNull && !abc.prefix(0).isNull)
        }
        ([0x7F] as [UInt8]).withView { low in
            ([0x80] as [UInt8]).withView { high in #expect(low < high, "bytes are unsigned") }
        }
    }
}

extension String {
    /// The text's bytes as a view, for the time of the call.
    func withBytes<Result>(_ body: (ByteView) throws -> Result) rethrows -> Result { try Array(utf8).withView(body) }
}

extension [UInt8] {
    /// The bytes as a view, for the time of the call; an empty array gives an empty view, not the null one.
    func withView<Result>(_ body: (ByteView) throws -> Result) rethrows -> Result {
        try withUnsafeBytes { raw in
            guard !isEmpty else { return try Swift.withUnsafeBytes(of: 0 as UInt8) { try body(ByteView($0).prefix(0)) } }
            return try body(ByteView(raw))
        }
    }
}
