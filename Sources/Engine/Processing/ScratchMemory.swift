/// Memory for the bytes that decoding makes up, such as unescaped texts; it lives as long as the batch of records.
public final class ScratchMemory {
    private var blocks: [UnsafeMutableBufferPointer<UInt8>] = []
    private var current = 0
    private var used = 0
    private static let blockSize = 64 << 10

    public init() {}

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// `count` bytes whose contents are undefined.
    public func allocate(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        while current < blocks.count {
            if used + count <= blocks[current].count {
                defer { used += count }
                return blocks[current].baseAddress.unsafelyUnwrapped + used
            }
            current += 1
            used = 0
        }
        let block = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(count, ScratchMemory.blockSize))
        blocks.append(block)
        current = blocks.count - 1
        used = count
        return block.baseAddress.unsafelyUnwrapped
    }

    /// Everything handed out so far may be used again. Blocks larger than the usual one are given back.
    package func reset() {
        blocks.removeAll { block in
            guard block.count > ScratchMemory.blockSize else { return false }
            block.deallocate()
            return true
        }
        current = 0
        used = 0
    }
}
