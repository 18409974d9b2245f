import TestSupport

@testable import Engine

/// What builds that knew no key left, and what they could be made to take for one.
enum UnkeyedRecords {
    /// A delta with these ids in a bucket, 32 a record from record `first` on, as such a build wrote it.
    static func delta(_ ids: [String], table: String = "ids", bucket start: Int64, first: Int = 0) -> StateDelta {
        var delta = ByteWriter()
        delta.write(byte: StateDelta.format)
        delta.write(varint: 0)
        delta.write(varint: 0)
        let records = stride(from: 0, to: ids.count, by: 32).map { ids[$0..<min($0 + 32, ids.count)] }
        delta.write(varint: UInt64(records.count))
        for (number, ids) in records.enumerated() {
            delta.write(varint: 12)
            WindowKey.write(EventTime(milliseconds: start), into: &delta)
            delta.write(fixed: UInt32(first + number).byteSwapped)
            delta.write(varint: UInt64(ids.count * 16 + (ids.count < 8 ? 1 : 2)))
            delta.write(varint: UInt64(ids.count * 16))
            for id in ids {
                let hash = id.withBytes { murmur3($0) }
                delta.write(fixed: hash.low)
                delta.write(fixed: hash.high)
            }
        }
        return StateDelta(table: table, bytes: delta.copy())
    }

    static func apply(_ delta: StateDelta, to table: any StateTable) -> Bool {
        var isTaken = true
        return delta.bytes.withView { bytes in
            StateDelta.forEachChange(in: bytes) { isTaken = table.restore($0, isCompacted: false) && isTaken }
        } && isTaken
    }

    /// Two ids of 32 bytes whose unkeyed hashes are the same: the second half of each leads MurmurHash3 to the same place.
    static func colliding() -> ([UInt8], [UInt8]) {
        let ids = [1, 2].map { number in
            let (low, high) = (UInt64(number), UInt64(7))
            let first = (rotated(mixed(low, one, 31, two), 27)) &* 5 &+ 0x52DC_E729
            let second = (rotated(mixed(high, two, 33, one), 31) &+ first) &* 5 &+ 0x3849_5AB5
            let target = (first: 11 as UInt64, second: 12 as UInt64)
            let wantedFirst = rotated((target.first &- 0x52DC_E729) &* inverse(5) &- second, 37) ^ first
            let wantedSecond = rotated((target.second &- 0x3849_5AB5) &* inverse(5) &- target.first, 33) ^ second
            let words = [low, high, unmixed(wantedFirst, one, 31, two), unmixed(wantedSecond, two, 33, one)]
            return words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
        }
        return (ids[0], ids[1])
    }

    private static let one = 0x87C3_7B91_1142_53D5 as UInt64
    private static let two = 0x4CF5_AD43_2745_937F as UInt64

    private static func mixed(_ word: UInt64, _ before: UInt64, _ bits: UInt64, _ after: UInt64) -> UInt64 {
        rotated(word &* before, bits) &* after
    }
    private static func unmixed(_ word: UInt64, _ before: UInt64, _ bits: UInt64, _ after: UInt64) -> UInt64 {
        rotated(word &* inverse(after), 64 - bits) &* inverse(before)
    }
    private static func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
    /// By Newton's method: each step doubles the bits that are right.
    private static func inverse(_ odd: UInt64) -> UInt64 { (0..<6).reduce(odd) { known, _ in known &* (2 &- odd &* known) } }
}
