/// 128 bits that stand for a text: equal for equal texts, and for different ones never in practice (of n texts any two
/// share theirs with a probability of n² / 2¹²⁹).
@frozen
package struct Hash128: Hashable, Sendable, BitwiseCopyable {
    package let low: UInt64
    package let high: UInt64

    @inlinable
    package init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }
}

/// MurmurHash3's 128 bits for 64-bit machines, as Austin Appleby published it
/// (https://github.com/aappleby/smhasher, `MurmurHash3_x64_128`). Stored data relies on it: it never changes.
package func murmur3(_ key: ByteView, seed: UInt32 = 0) -> Hash128 {
    var (first, second) = (UInt64(seed), UInt64(seed))
    var offset = 0
    while offset &+ 16 <= key.count {
        let raw = UnsafeRawPointer(key.start.unsafelyUnwrapped) + offset
        first ^= mixedFirst(UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self)))
        first = (rotated(first, 27) &+ second) &* 5 &+ 0x52DC_E729
        second ^= mixedSecond(UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        second = (rotated(second, 31) &+ first) &* 5 &+ 0x3849_5AB5
        offset &+= 16
    }
    var (firstTail, secondTail) = (UInt64(0), UInt64(0))
    for index in stride(from: key.count - 1, through: offset, by: -1) {
        let byte = UInt64(key[index])
        if index - offset < 8 { firstTail = firstTail << 8 | byte } else { secondTail = secondTail << 8 | byte }
    }
    second ^= mixedSecond(secondTail)
    first ^= mixedFirst(firstTail)
    first ^= UInt64(key.count)
    second ^= UInt64(key.count)
    first &+= second
    second &+= first
    first = finished(first)
    second = finished(second)
    first &+= second
    second &+= first
    return Hash128(low: first, high: second)
}

private func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
private func mixedFirst(_ word: UInt64) -> UInt64 { rotated(word &* 0x87C3_7B91_1142_53D5, 31) &* 0x4CF5_AD43_2745_937F }
private func mixedSecond(_ word: UInt64) -> UInt64 { rotated(word &* 0x4CF5_AD43_2745_937F, 33) &* 0x87C3_7B91_1142_53D5 }

private func finished(_ word: UInt64) -> UInt64 {
    var word = (word ^ word >> 33) &* 0xFF51_AFD7_ED55_8CCD
    word = (word ^ word >> 33) &* 0xC4CE_B9FE_1A85_EC53
    return word ^ word >> 33
}
