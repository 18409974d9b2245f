/// How many names a set or counts of a record hold, and how many did not find room since that was asked last. Not stored.
public struct NameBound: Sendable {
    /// `state.namesPerRecord`, where nothing else is said.
    public static let usual = 65_536
    /// Fewer are not for a bound: records of so few names are not large.
    public static let least = 1024

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

/// Sets the bound of the names of records that it visits, and takes what they left out.
@usableFromInline
struct NameBounds: FieldVisitor {
    @usableFromInline var limit = NameBound.usual
    /// Of all records that were visited.
    @usableFromInline var leftOut: UInt64 = 0
    private var firstKey: [UInt8]?

    @usableFromInline
    init() {}

    /// Says whose record was visited last.
    @usableFromInline
    mutating func noteVisited(_ key: ByteView) {
        if leftOut > 0 && firstKey == nil { firstKey = key.copy() }
    }

    /// What was left out since this was asked last; nil when nothing was.
    mutating func takeLeftOut(of table: String) -> NamesLeftOut? {
        defer { (leftOut, firstKey) = (0, nil) }
        return leftOut > 0 ? NamesLeftOut(count: leftOut, table: table, key: firstKey ?? []) : nil
    }

    @usableFromInline mutating func field(_ name: StaticString, _ value: inout TextSet) { set(&value.bound) }
    @usableFromInline mutating func field(_ name: StaticString, _ value: inout TextCounts) { set(&value.bound) }
    @usableFromInline func field(_ name: StaticString, _ value: inout Bool) {}
    @usableFromInline func field(_ name: StaticString, _ value: inout UInt64) {}
    @usableFromInline func field(_ name: StaticString, _ value: inout Int64) {}
    @usableFromInline func field(_ name: StaticString, _ value: inout Int128) {}
    @usableFromInline func field(_ name: StaticString, _ value: inout EventTime) {}
    @usableFromInline func field(_ name: StaticString, _ value: inout TextField) {}
    @usableFromInline func field(_ name: StaticString, _ value: inout RecentNumbers) {}
    @usableFromInline func field(_ name: StaticString, _ value: inout BucketSums) {}
    @usableFromInline func field(_ name: StaticString, _ value: inout LastSeenTexts) {}

    private mutating func set(_ bound: inout NameBound) {
        bound.limit = limit
        leftOut += bound.leftOut
        bound.leftOut = 0
    }
}
