/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), the checksum that recognises a record again.
///
/// Computed only for the last record of a partition in an epoch, so a plain table is fast enough.
package func crc32c(_ bytes: ByteView, continuing previous: UInt32 = 0) -> UInt32 {
    var checksum = ~previous
    for byte in bytes.buffer {
        checksum = crc32cTable[Int((checksum ^ UInt32(byte)) & 0xFF)] ^ (checksum >> 8)
    }
    return ~checksum
}

private let crc32cTable: [UInt32] = (0..<256).map { index in
    var entry = UInt32(index)
    for _ in 0..<8 { entry = entry & 1 == 1 ? (entry >> 1) ^ 0x82F6_3B78 : entry >> 1 }
    return entry
}
