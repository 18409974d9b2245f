/// The choices that simulations make; every one is drawn from the seed.
extension SeededRandom {
    /// A number in `range`, each as likely (to within 2^-32 for the small ranges used here).
    package mutating func number(in range: ClosedRange<Int>) -> Int {
        let width = UInt64(range.upperBound - range.lowerBound) + 1
        return range.lowerBound + Int(next().multipliedFullWidth(by: width).high)
    }

    /// True this many times in a hundred.
    package mutating func percent(_ chance: Int) -> Bool { number(in: 1...100) <= chance }

    /// A length of time in milliseconds.
    package mutating func milliseconds(in range: ClosedRange<Int>) -> Duration { .milliseconds(number(in: range)) }

    /// A generator of its own for one part of a simulation, so that one part's draws don't move another's.
    package mutating func fork() -> SeededRandom { SeededRandom(seed: next()) }
}
