/// A field of a reference record that can't be used, or only by guessing: the record is held without it, or with what it seems to be.
public struct FieldDefect: Sendable {
    /// The reason, with the field.
    public let rejection: Rejection
    /// What its value is, never the value itself: `a number`.
    public let found: StaticString
    /// What it has to be, with what to set for it: `true, false, 1 or 0`.
    public let expected: StaticString

    /// The value was used all the same, by what it seems to be.
    public let isUsed: Bool

    public init(_ rejection: Rejection, found: StaticString, expected: StaticString, isUsed: Bool = false) {
        self.isUsed = isUsed
        self.rejection = rejection
        self.found = found
        self.expected = expected
    }
}
