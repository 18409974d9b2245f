/// How many names a set or counts of a record hold, and how many did not find room since that was asked last. Not stored.
@usableFromInline package struct NameBound: Sendable {
    /// `state.namesPerRecord`, where nothing else is said.
    @usableFromInline package static let usual = 65_536
    /// Fewer are not for a bound: records of so few names are not large.
    @usableFromInline package static let least = 1024

    @usableFromInline var limit = NameBound.usual
    @usableFromInline var leftOut: UInt64 = 0

    @usableFromInline
    init() {}

    /// True when one more name finds room beside `count`; counted when not.
    @inlinable
    mutating func takes(_ count: Int) -> Bool {
        if count < limit { return true }
        leftOut += 1
        return false
    }
}

/// That names found no room in records of a state table.
public struct NamesLeftOut: Sendable, Equatable {
    /// How many times, in all records.
    public let count: UInt64
    public let table: String
    /// The first record's key.
    public let key: [UInt8]
}
