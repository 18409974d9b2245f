/// A topic that got more partitions, as far as that says which partitions a key can have come from, or gone to.
package struct PartitionGrowth: Equatable, Sendable {
    /// How many partitions there were, and are.
    package let before: Int
    package let after: Int
    /// Partitions whose numbers are equal modulo this make a family, which no key leaves.
    ///
    /// Partitioners take a key's hash h modulo the number of partitions. So a key of partition p = h mod `before` is in
    /// q = h mod `after` now, and p ≡ h ≡ q modulo every number that divides both counts: with their greatest common divisor
    /// the families are as small as can be. Nothing of the kind holds where keys are placed by a list: one family.
    package let families: Int

    /// `isByHash`: keys are placed by a hash modulo the number of partitions.
    package init(from before: Int, to after: Int, isByHash: Bool = true) {
        precondition(before > 0 && after > before, "a topic only grows")
        self.before = before
        self.after = after
        families = isByHash ? PartitionGrowth.greatestCommonDivisor(before, after) : 1
    }

    /// True when no key goes from one old partition to another: every one stays or goes to a new partition.
    package var fillsNewPartitionsOnly: Bool { families == before }

    /// The new partitions that keys of an old one may have gone to, itself included.
    package func targets(of partition: Int) -> [Int] { Array(stride(from: partition % families, to: after, by: families)) }

    /// The old partitions that keys of a new one may have come from.
    package func sources(of partition: Int) -> [Int] { Array(stride(from: partition % families, to: before, by: families)) }

    private static func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
        var (first, second) = (first, second)
        while second > 0 { (first, second) = (second, first % second) }
        return first
    }
}
