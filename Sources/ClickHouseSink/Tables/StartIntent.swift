/// What a start would do with the tables beside delivering to them.
public struct StartIntent: Sendable {
    /// What the tables hold must fit the state: it is known as the start will find it.
    public var comparesLedger: Bool
    /// Rows that were delivered after the state's checkpoint are deleted first.
    public var rollsBack: Bool

    public init(comparesLedger: Bool, rollsBack: Bool) {
        self.comparesLedger = comparesLedger
        self.rollsBack = rollsBack
    }
}
