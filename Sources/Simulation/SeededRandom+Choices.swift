/// The choices that simulations make; every one is drawn from the seed.
extension SeededRandom {
    /// A number in `range`, each as likely (to within 2^-32 for the small ranges used here).
    public mutating func number(in range: ClosedRange<Int>) -> Int {
        let width = UInt64(range.upperBound - range.lowerBound) + 1
        return range.lowerBound + Int(next().multipliedFullWidth(by: width).high)
    }

    /// True this many times in a hundred.
    public mutating func percent(_ chance: Int) -> Bool { number(in: 1...100) <= chance }

    /// A length of time in milliseconds.
    public mutating func milliseconds(in range: ClosedRange<Int>) -> Duration { .milliseconds(number(in: range)) }

    /// A generator of its own for one part of a simulation, so that one part's draws don't move another's.
    public mutating func fork() -> SeededRandom { SeededRandom(seed: next()) }
}
