import Engine

/// A type of a schema, in the table of all of them.
@usableFromInline
struct SchemaNode: BitwiseCopyable {
    @usableFromInline
    enum Kind: UInt8, BitwiseCopyable, Sendable {
        case null, boolean, int, long, float, double, bytes, string
        case record, enumeration, fixed, array, map, union
    }

    @usableFromInline var kind: Kind
    /// Its values take no bytes: null, a fixed of no bytes, a record of such.
    @usableFromInline var isEmpty = false
    /// Of a record, an enumeration and a union, where its fields, symbols and branches begin in their table; of an array and a
    /// map the type of their items; of a fixed its size.
    @usableFromInline var first: Int32 = 0
    /// How many fields, symbols or branches.
    @usableFromInline var count: Int32 = 0
    /// Of a record, where the types of its fields that take bytes begin in their table, and how many there are.
    @usableFromInline var firstNonEmpty: Int32 = 0
    @usableFromInline var nonEmptyCount: Int32 = 0
}

/// A field of a record.
@usableFromInline
struct SchemaField: BitwiseCopyable {
    /// Within the plan's own memory.
    @usableFromInline var name: ByteView
    @usableFromInline var type: Int32
}
