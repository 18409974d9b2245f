/// What the hashes of a table in memory depend on besides the key.
///
/// Whoever chooses keys can choose those that collide under a hash that is known, and a table of them is a list. So tables are
/// seeded at random, anew in each process: nothing that is stored, sent or placed may depend on them, nor any order. What several
/// processes of a job have to agree on goes by a seed that is made of the job's key.
@usableFromInline package struct TableSeed: Sendable, BitwiseCopyable {
    @usableFromInline let start: UInt64
    @usableFromInline let factor: UInt64

    @usableFromInline
    init(start: UInt64, factor: UInt64) {
        self.start = start
        self.factor = factor
    }

    /// Of every table of this process.
    @usableFromInline package static let ofProcess = TableSeed(
        start: .random(in: .min ... .max), factor: .random(in: .min ... .max) | 1 << 63 | 1)

    /// The same in all tasks and processes of a job, and in no other: for what they have to agree on. `use` says for what.
    package init(_ key: HashKey, for use: StaticString) {
        let hash = sipHash(ByteView(start: use.utf8Start, count: use.utf8CodeUnitCount), key: key)
        self.init(start: hash.low, factor: hash.high | 1 << 63 | 1)
    }
}

/// A 64-bit hash of bytes for in-memory tables: multiply and compact, eight bytes at a time, as wyhash does it
/// (https://github.com/wangyi-fudan/wyhash). Never stored: only tables in memory use it.
@inlinable
package func tableHash(_ bytes: ByteView, seed: TableSeed) -> UInt64 {
    var hash = seed.start ^ UInt64(truncatingIfNeeded: bytes.count)
    guard let start = bytes.start else { return foldedProduct(hash, 0xA076_1D64_78BD_642F) }
    let raw = UnsafeRawPointer(start)
    var offset = 0
    while offset &+ 8 <= bytes.count {
        let word = raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        hash = foldedProduct(hash ^ word, seed.factor)
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
package func foldedProduct(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
}
