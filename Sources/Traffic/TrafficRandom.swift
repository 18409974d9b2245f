/// Pseudorandom numbers from one seed: SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number
/// Generators").
struct TrafficRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return TrafficRandom.mix(state)
    }

    /// A number from 0 to `bound` - 1; the multiplication's bias is far below what any use here could notice.
    mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// True in `percent` of 100 cases.
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    /// A number from 0 to `bound` - 1, the small ones more often: half of the draws fall into the first quarter.
    mutating func skewed(below bound: Int) -> Int {
        let uniform = next() >> 32
        let squared = (uniform &* uniform) >> 32
        return Int((squared &* UInt64(bound)) >> 32)
    }

    /// Spreads all bits of a number over all bits of the result.
    static func mix(_ number: UInt64) -> UInt64 {
        var mixed = number
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
