/// The last few numbers of a sequence inside a state record, such as amounts, or times in milliseconds.
///
/// Stored as a varint count, then each number as a zigzag varint of its difference from the one before it (the first
/// from 0), so that times close to each other take few bytes.
public struct RecentNumbers: Sendable {
    private var numbers: [Int64] = []

    public init() {}

    public var count: Int { numbers.count }
    /// The number that was added last; nil when there is none.
    public var last: Int64? { numbers.last }

    /// Adds a number, and forgets the oldest ones until at most `limit` are left.
    public mutating func append(_ number: Int64, keeping limit: Int) {
        precondition(limit > 0, "at least the number just added is kept")
        if numbers.count >= limit { numbers.removeFirst(numbers.count - limit + 1) }
        numbers.append(number)
    }

    public var sum: Int128 {
        var sum: Int128 = 0
        for number in numbers { sum += Int128(number) }
        return sum
    }

    /// How many of the numbers are greater than `bound`.
    public func count(above bound: Int64) -> Int {
        var count = 0
        for number in numbers where number > bound { count += 1 }
        return count
    }

    public mutating func removeAll() { numbers.removeAll(keepingCapacity: true) }

    @usableFromInline
    func encode(into writer: inout ByteWriter) {
        writer.write(varint: UInt64(numbers.count))
        var before: Int64 = 0
        for number in numbers {
            writer.write(zigzag: number &- before)
            before = number
        }
    }

    @usableFromInline
    mutating func decode(from reader: inout ByteReader) {
        removeAll()
        let count = reader.varint()
        // A number takes at least a byte.
        guard count <= UInt64(reader.remaining) else {
            reader.fail()
            return
        }
        var number: Int64 = 0
        for _ in 0..<count {
            number &+= reader.zigzag()
            numbers.append(number)
        }
    }
}
