/// A 64-bit hash of bytes for in-memory tables: multiply and fold, eight bytes at a time, as wyhash does it
/// (https://github.com/wangyi-fudan/wyhash). The same in every process, but never stored: only tables in memory use it.
@inlinable
public func tableHash(_ bytes: ByteView) -> UInt64 {
    var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: bytes.count)
    guard let start = bytes.start else { return foldedProduct(hash, 0xA076_1D64_78BD_642F) }
    let raw = UnsafeRawPointer(start)
    var offset = 0
    while offset &+ 8 <= bytes.count {
        let word = raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        hash = foldedProduct(hash ^ word, 0xE703_7ED1_A0B4_28DB)
        offset &+= 8
    }
    var tail: UInt64 = 0
    while offset < bytes.count {
        tail = tail << 8 | UInt64(start[offset])
        offset &+= 1
    }
    return foldedProduct(hash ^ tail, 0xA076_1D64_78BD_642F)
}

@inlinable
func foldedProduct(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
}
