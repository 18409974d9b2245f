import Engine

/// The values of one column of a block while it is built; a little memory is kept for the next block.
struct ColumnBuffer: ~Copyable {
    /// `Array` and `Map`: where each row's elements end, counted in elements from the block's start.
    var ends = ByteWriter(capacity: 64)
    /// The values; of a `Map` the names.
    var values = ByteWriter(capacity: 4096)
    /// Of a `Map`, the counts.
    var counts = ByteWriter(capacity: 64)
    /// Elements so far, over all rows.
    var elements: UInt64 = 0

    /// Bytes of memory that each part keeps between blocks.
    private static let kept = 64 << 10

    mutating func removeAll() {
        ends.release(keeping: ColumnBuffer.kept)
        values.release(keeping: ColumnBuffer.kept)
        counts.release(keeping: ColumnBuffer.kept)
        elements = 0
    }

    /// How many bytes `append` adds.
    func byteCount(isNullable: Bool, rowCount: Int) -> Int {
        (isNullable ? rowCount : 0) + ends.count + values.count + counts.count
    }

    /// The column's data as a block holds it.
    func append(to block: inout ByteWriter, isNullable: Bool, rowCount: Int) {
        if isNullable {
            for _ in 0..<rowCount { block.write(byte: 0) }
        }
        block.write(raw: ends.view)
        block.write(raw: values.view)
        block.write(raw: counts.view)
    }
}
