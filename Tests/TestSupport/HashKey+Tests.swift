import Engine

extension HashKey {
    /// Of states that tests make by hand.
    package static let ofTests = HashKey(first: 0x746F_6C64, second: 0x7365_6372_6574)
}
