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
