import Engine

/// Numbers of a row as what they stand for. All throw kind `corrupt`, naming the column, for what is none or lies outside of
/// what was ever written.
extension Statement {
    func number(_ column: Int32, _ bounds: ClosedRange<Int64>) throws -> Int64 {
        guard isInteger(column) else { throw damaged("\(name(of: column)) is no number") }
        let number = integer(column)
        guard bounds.contains(number) else {
            throw damaged("\(name(of: column)) is \(number), outside of \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return number
    }

    /// The number that stands for a task, a table or a layout, or that of a row.
    func rowNumber(_ column: Int32) throws -> Int64 { try number(column, StoredBounds.counter) }
    func epoch(_ column: Int32) throws -> Epoch { Epoch(UInt64(try number(column, StoredBounds.counter))) }
    func lineage(_ column: Int32) throws -> Lineage { Lineage(UInt32(try number(column, StoredBounds.lineage))) }
    func batchNumber(_ column: Int32) throws -> BatchNumber { BatchNumber(UInt64(try number(column, StoredBounds.counter))) }
    func count(_ column: Int32) throws -> Int { Int(try number(column, StoredBounds.count)) }
    func partition(_ column: Int32) throws -> Int { Int(try number(column, StoredBounds.partition)) }
    func version(_ column: Int32) throws -> Int { Int(try number(column, StoredBounds.version)) }
    func offset(_ column: Int32) throws -> Int64 { try number(column, StoredBounds.counter) }
    /// By a worker's clock.
    func clock(_ column: Int32) throws -> Int64 { try number(column, StoredBounds.clock) }
    /// Event time: every number is one, and arithmetic on it ends at the ends of time.
    func eventTime(_ column: Int32) throws -> EventTime { EventTime(milliseconds: try number(column, Int64.min...Int64.max)) }
    /// A partition of a table: 0, yyyymm or yyyymmdd.
    func tablePartition(_ column: Int32) throws -> Int32 { Int32(try number(column, 0...Int64(Int32.max))) }

    /// The record read last, in three columns from `column` on, and the offset to read next in the one before; nil where a task
    /// has read nothing.
    func position(next column: Int32) throws -> SourcePosition? {
        guard !isNull(column) else { return nil }
        let last =
            isNull(column + 1)
            ? nil
            : RecordFingerprint(
                offset: try offset(column + 1), timestamp: try number(column + 2, Int64.min...Int64.max),
                checksum: UInt32(truncatingIfNeeded: try number(column + 3, Int64.min...Int64.max))
            )
        return SourcePosition(next: try offset(column), last: last)
    }

    /// A batch's number, nil where there is none.
    func batch(_ column: Int32) throws -> BatchNumber? {
        guard !isNull(column) else { return nil }
        let found = try batchNumber(column)
        return found.number == 0 ? nil : found
    }
}

extension Database {
    func damaged(_ what: String) -> StateError { StateError(.corrupt, "the state file \(path) is damaged: \(what); \(StateError.wayOut)") }

    /// A number that an entry of `meta` holds. Throws kind `corrupt` when it is none, or outside of the bounds.
    func number(_ text: String, of entry: String, _ bounds: ClosedRange<Int64>) throws -> Int64 {
        guard let number = Int64(text), bounds.contains(number) else {
            throw damaged("its entry '\(entry)' is no number from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return number
    }

    /// Pairs of which no two have the same key. Two rows of one key are damage that SQLite itself doesn't see.
    func dictionary<Key: Hashable, Value>(_ pairs: some Sequence<(Key, Value)>, of what: String) throws -> [Key: Value] {
        var found: [Key: Value] = [:]
        for (key, value) in pairs where found.updateValue(value, forKey: key) != nil { throw damaged("\(what) '\(key)' is there twice") }
        return found
    }
}

extension ByteReader {
    /// An epoch as a varint; fails for one that was never written.
    mutating func epoch() -> Epoch {
        guard let epoch = Epoch(stored: varint()) else {
            failed = true
            return Epoch(0)
        }
        return epoch
    }

    /// How many there are of something, as a varint; fails for what never was.
    mutating func count() -> Int {
        guard let count = Int64(exactly: varint()), StoredBounds.count.contains(count) else {
            failed = true
            return 0
        }
        return Int(count)
    }
}
