import Engine

/// What a task has met of how its topic writes decimals; kept, so that a restart decides as if there had been none.
public struct DecimalForms: StateRecord {
    /// A decimal in Base64 where none is taken.
    var hasBase64 = false

    public init() {}

    public mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) { visit.field("hasBase64", &hasBase64) }
}
