import TestSupport
import Testing

@testable import Engine

@Suite("Hashes: keys and records are recognised the way other programs do")
struct ChecksumTests {
    /// Values of Kafka's own `org.apache.kafka.common.utils.UtilsTest.testMurmur2`, and of librdkafka's unit test.
    @Test(
        arguments: [
            ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107), ("1", -1_993_445_489),
            ("12", 126_087_238),
            ("123", -267_702_483), ("1234", -1_614_185_708), ("12345", -1_188_365_604), ("kafka", Int32(bitPattern: 0xD067_CF64)),
        ] as [(String, Int32)])
    func murmur2IsKafkas(key: String, expected: Int32) {
        #expect(key.withBytes { Int32(bitPattern: murmur2($0)) } == expected)
    }

    @Test func aPartitionIsThePositiveHashModuloTheirNumber() {
        #expect("foobar".withBytes { murmur2Partition(of: $0, partitions: 10) } == (-790_332_482 & 0x7FFF_FFFF) % 10)
        #expect((0..<100).allSatisfy { "key \($0)".withBytes { (0..<7).contains(murmur2Partition(of: $0, partitions: 7)) } })
    }

    /// RFC 3720, B.4, and the check value of the CRC catalogue.
    @Test(
        arguments: [
            (Array("123456789".utf8), 0xE306_9283), (Array(repeating: 0, count: 32), 0x8A91_36AA),
            (Array(repeating: 0xFF, count: 32), 0x62A8_AB43),
            (Array(0...31), 0x46DD_794E), (Array((0...31).reversed()), 0x113F_DB5C), ([], 0),
        ] as [([UInt8], UInt32)])
    func crc32cIsCastagnolis(bytes: [UInt8], expected: UInt32) {
        #expect(bytes.withView { crc32c($0) } == expected)
        let half = bytes.count / 2
        let first = Array(bytes[..<half]).withView { crc32c($0) }
        #expect(Array(bytes[half...]).withView { crc32c($0, continuing: first) } == expected, "it goes on where it stopped")
    }

    @Test func theTableHashDependsOnEveryByte() {
        for length in 1...40 {
            let keys = (0..<length).flatMap { position in
                [1, 0x80].map { mark in (0..<length).map { $0 == position ? UInt8(mark) : 0 } }
            }
            #expect(Set(keys.map { $0.withView { tableHash($0, seed: TableSeed(.ofTests, for: "a test")) } }).count == keys.count)
        }
    }

    /// SMHasher's verification: the hash of the hashes of keys of 0 to 255 bytes.
    @Test func murmur3IsTheOneOfSMHasher() {
        var all = ByteWriter()
        for length in 0..<256 {
            let hash = (0..<length).map { UInt8($0) }.withView { murmur3($0, seed: UInt32(256 - length)) }
            all.write(fixed: hash.low)
            all.write(fixed: hash.high)
        }
        #expect(UInt32(truncatingIfNeeded: murmur3(all.view).low) == 0x6384_BA69)
    }
}
