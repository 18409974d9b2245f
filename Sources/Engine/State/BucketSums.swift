/// Sums by bucket over the latest few buckets inside a state record, such as an amount for each hour of a day.
///
/// Buckets are numbered; those that nothing was added to take no room. Stored as a varint count, then, unless it is 0,
/// the greatest bucket's number as a zigzag varint, then for each bucket in order of arrival how far it lies before that
/// one, a varint, and its sum, a zigzag number as two varints.
public struct BucketSums: Sendable {
    private struct Bucket {
        var number: Int64
        var sum: Int128
    }

    private var buckets: [Bucket] = []

    /// What stored sums can be together.
    private static let mostTogether: UInt128 = 1 << 120

    public init() {}

    /// Adds to the sum of a bucket, if it is one of the `limit` buckets that end with the greatest one seen, this one
    /// included. Buckets before those are forgotten.
    public mutating func add(_ amount: Int64, to number: Int64, keeping limit: Int64) {
        let greatest = max(greatest ?? number, number)
        // None is greater, so that the difference fits without its sign, whatever the numbers are.
        func isForgotten(_ number: Int64) -> Bool { UInt64(bitPattern: greatest &- number) >= UInt64(max(limit, 0)) }
        if let oldest = buckets.lazy.map(\.number).min(), isForgotten(oldest) {
            buckets.removeAll { isForgotten($0.number) }
        }
        guard !isForgotten(number) else { return }
        if let known = buckets.firstIndex(where: { $0.number == number }) {
            buckets[known].sum += Int128(amount)
        } else {
            buckets.append(Bucket(number: number, sum: Int128(amount)))
        }
    }

    /// The sum over all buckets that are kept.
    public var total: Int128 {
        var total: Int128 = 0
        for bucket in buckets { total += bucket.sum }
        return total
    }

    private var greatest: Int64? {
        var greatest = buckets.first?.number
        for bucket in buckets where bucket.number > greatest! { greatest = bucket.number }
        return greatest
    }

    public mutating func removeAll() { buckets.removeAll(keepingCapacity: true) }

    @usableFromInline
    func encode(into writer: inout ByteWriter) {
        writer.write(varint: UInt64(buckets.count))
        guard let greatest else { return }
        writer.write(zigzag: greatest)
        for bucket in buckets {
            writer.write(varint: UInt64(bitPattern: greatest &- bucket.number))
            writer.write(zigzag128: bucket.sum)
        }
    }

    @usableFromInline
    mutating func decode(from reader: inout ByteReader) {
        removeAll()
        let count = reader.varint()
        guard count <= UInt64(reader.remaining) else {
            reader.fail()
            return
        }
        guard count > 0 else { return }
        let greatest = reader.zigzag()
        var room = BucketSums.mostTogether
        for _ in 0..<count {
            let number = greatest &- Int64(bitPattern: reader.varint())
            let sum = reader.zigzag128()
            // No number of 64-bit amounts that anybody adds up comes near it, so that adding on never overflows.
            guard sum.magnitude <= room else {
                reader.fail()
                return
            }
            room -= sum.magnitude
            buckets.append(Bucket(number: number, sum: sum))
        }
    }
}
