import TestSupport
import Testing

@testable import Engine

@Suite("Ids that are made to lie close together cost no more than others")
struct HashedIDsTests {
    /// CPU seconds of this thread for so many hashes that differ in their low half alone.
    private func cost(of count: UInt64) -> Double {
        let hashed = HashedIDs()
        let start = threadSeconds()
        var (new, known) = (0 as UInt64, 0 as UInt64)
        for low in 0..<count where hashed.insert(Hash128(low: low, high: 42), bucket: 0, isLive: { _ in true }) { new += 1 }
        for low in 0..<count where !hashed.insert(Hash128(low: low, high: 42), bucket: 0, isLive: { _ in true }) { known += 1 }
        #expect(new == count && known == count)
        return threadSeconds() - start
    }

    @Test func hashesOfOnePlaceAreSpread() {
        _ = cost(of: 200)
        let (few, many) = (cost(of: 2_000), cost(of: 40_000))
        #expect(many < few * 80, "\(few) s for 2,000, \(many) s for twenty times as many: quadratic would be four hundredfold")
    }
}
