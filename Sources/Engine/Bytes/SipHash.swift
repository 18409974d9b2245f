/// SipHash-2-4 with 128 bits, as Jean-Philippe Aumasson and Daniel J. Bernstein published it (https://github.com/veorq/SipHash):
/// who does not know the key can't find texts that share a hash. Stored data relies on it: it never changes.
package func sipHash(_ bytes: ByteView, key: HashKey) -> Hash128 {
    var state = SipState(key)
    var offset = 0
    while offset &+ 8 <= bytes.count {
        let raw = UnsafeRawPointer(bytes.start.unsafelyUnwrapped) + offset
        state.take(UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self)))
        offset &+= 8
    }
    var last = UInt64(truncatingIfNeeded: bytes.count) << 56
    for index in offset..<bytes.count { last |= UInt64(bytes[index]) << UInt64(8 &* (index &- offset)) }
    state.take(last)
    return state.finish()
}

private struct SipState {
    private var a, b, c, d: UInt64

    init(_ key: HashKey) {
        a = key.first ^ 0x736F_6D65_7073_6575
        // The last byte tells the variant with 128 bits from that with 64.
        b = key.second ^ 0x646F_7261_6E64_6F6D ^ 0xEE
        c = key.first ^ 0x6C79_6765_6E65_7261
        d = key.second ^ 0x7465_6462_7974_6573
    }

    mutating func take(_ word: UInt64) {
        d ^= word
        mix()
        mix()
        a ^= word
    }

    mutating func finish() -> Hash128 {
        c ^= 0xEE
        for _ in 0..<4 { mix() }
        let low = a ^ b ^ c ^ d
        b ^= 0xDD
        for _ in 0..<4 { mix() }
        return Hash128(low: low, high: a ^ b ^ c ^ d)
    }

    private mutating func mix() {
        a &+= b
        b = rotated(b, 13) ^ a
        a = rotated(a, 32)
        c &+= d
        d = rotated(d, 16) ^ c
        a &+= d
        d = rotated(d, 21) ^ a
        c &+= b
        b = rotated(b, 17) ^ c
        c = rotated(c, 32)
    }
}

private func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
