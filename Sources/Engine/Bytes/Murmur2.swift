/// Kafka's default partitioner: murmur2 of the key, made positive, modulo the number of partitions.
///
/// As `org.apache.kafka.common.utils.Utils.murmur2` has it (seed 0x9747b28c), so that records keyed by Java clients
/// and by us meet in the same partition. Stored data relies on it: it never changes.
package func murmur2Partition(of key: ByteView, partitions: Int) -> Int {
    precondition(partitions > 0, "a topic has at least one partition")
    return Int(murmur2(key) & 0x7FFF_FFFF) % partitions
}

/// Murmur2 as Kafka's Java client computes it.
package func murmur2(_ key: ByteView) -> UInt32 {
    let multiplier: UInt32 = 0x5BD1_E995
    var hash: UInt32 = 0x9747_B28C ^ UInt32(truncatingIfNeeded: key.count)
    var index = 0
    while index + 4 <= key.count {
        var word = UInt32(key[index]) | UInt32(key[index + 1]) << 8 | UInt32(key[index + 2]) << 16 | UInt32(key[index + 3]) << 24
        word = word &* multiplier
        word ^= word >> 24
        word = word &* multiplier
        hash = (hash &* multiplier) ^ word
        index += 4
    }
    let remaining = key.count - index
    if remaining >= 3 { hash ^= UInt32(key[index + 2]) << 16 }
    if remaining >= 2 { hash ^= UInt32(key[index + 1]) << 8 }
    if remaining >= 1 {
        hash ^= UInt32(key[index])
        hash = hash &* multiplier
    }
    hash ^= hash >> 13
    hash = hash &* multiplier
    return hash ^ (hash >> 15)
}
