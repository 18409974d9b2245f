import Engine

/// The values of one column of a block while it is built; the memory is kept for the next block.
struct ColumnBuffer: ~Copyable {
    /// `Array` and `Map`: where each row's elements end, counted in elements from the block's start.
    var ends = ByteWriter(capacity: 64)
    /// The values; of a `Map` the names.
    var values = ByteWriter(capacity: 4096)
    /// Of a `Map`, the counts.
    var counts = ByteWriter(capacity: 64)
    /// Elements so far, over all rows.
    var elements: UInt64 = 0

    mutating func removeAll() {
        ends.removeAll()
        values.removeAll()
        counts.removeAll()
        elements = 0
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
