/// Memory for the keys and records of one table: slabs, cut into blocks of a few sizes, freed blocks used again.
///
/// One allocation serves thousands of records, and a closed window's memory goes back in a few calls.
struct RecordArena: ~Copyable {
    /// What the blocks in use take together, in bytes.
    private(set) var usedBytes = 0
    private var reservedBytes = 0
    private var slabs: [UnsafeMutableRawPointer] = []
    private var next: UnsafeMutableRawPointer?
    private var left = 0
    /// Heads of the lists of free blocks, one a size class; a free block's first word points to the next one.
    private var free: [UnsafeMutableRawPointer?] = Array(repeating: nil, count: RecordArena.classes)

    private static let smallest = 32
    private static let classes = 96
    private static let firstSlab = 4 << 10
    private static let largestSlab = 256 << 10

    init() {}

    deinit {
        for slab in slabs { slab.deallocate() }
    }

    /// Four classes a doubling: 32, 40, 48, 56, 64, 80, 96, 112, 128, … bytes; at most a quarter is wasted.
    static func sizeClass(holding bytes: Int) -> (index: Int, size: Int) {
        let wanted = max(bytes, smallest)
        let power = Int.bitWidth - 1 - wanted.leadingZeroBitCount
        let step = (1 << power) / 4
        let above = (wanted - (1 << power) + step - 1) / step
        return ((power - 5) * 4 + above, (1 << power) + above * step)
    }

    /// A block of at least `bytes`, and how many it really holds.
    mutating func allocate(_ bytes: Int) -> (block: UnsafeMutableRawPointer, size: Int) {
        let (index, size) = RecordArena.sizeClass(holding: bytes)
        usedBytes += size
        if let block = free[index] {
            free[index] = block.load(as: UnsafeMutableRawPointer?.self)
            return (block, size)
        }
        if size > left { addSlab(holding: size) }
        let block = next.unsafelyUnwrapped
        next = block + size
        left -= size
        return (block, size)
    }

    /// Gives a block back for others of its class.
    mutating func release(_ block: UnsafeMutableRawPointer, size: Int) {
        let (index, _) = RecordArena.sizeClass(holding: size)
        usedBytes -= size
        block.storeBytes(of: free[index], as: UnsafeMutableRawPointer?.self)
        free[index] = block
    }

    private mutating func addSlab(holding size: Int) {
        let doubled = min(max(reservedBytes, RecordArena.firstSlab), RecordArena.largestSlab)
        let bytes = max(doubled, size)
        let slab = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
        slabs.append(slab)
        reservedBytes += bytes
        next = slab
        left = bytes
    }
}
