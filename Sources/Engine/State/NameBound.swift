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

/// Sets the bound of the names of records that it visits, and takes what they left out.
@usableFromInline
struct NameBounds: FieldVisitor {
    @usableFromInline var limit = NameBound.usual
    /// Of all records that were visited.
    @usableFromInline var leftOut: UInt64 = 0

    @usableFromInline
    init() {}

    /// What was left out since this was asked last.
    mutating func takeLeftOut() -> UInt64 {
        defer { leftOut = 0 }
        return leftOut
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
