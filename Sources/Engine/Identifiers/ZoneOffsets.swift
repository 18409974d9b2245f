/// How far a zone's clocks are ahead of UTC, from one change to the next.
package struct ZoneOffsets: Sendable, Equatable {
    /// From `since` on, in milliseconds of the clock on the wall, clocks are `ahead` milliseconds ahead of UTC.
    struct Part: Sendable, Equatable {
        let since: Int64
        let ahead: Int64
    }

    private let parts: [Part]

    /// A zone that never changes; `ahead` in milliseconds.
    package init(ahead: Int64) { parts = [Part(since: .min, ahead: ahead)] }

    /// `first`: how far clocks are ahead at the beginning, in milliseconds; `changes`: from which moment (milliseconds since 1970
    /// UTC) how far, in order. A time that the clocks show twice is taken for the first, one that they leap over for as much later.
    package init(first: Int64, changes: [(at: Int64, ahead: Int64)]) {
        var parts = [Part(since: .min, ahead: first)]
        var before = first
        for change in changes {
            parts.append(Part(since: change.at + max(before, change.ahead), ahead: change.ahead))
            before = change.ahead
        }
        self.parts = parts
    }

    /// The moment at which the clocks show `milliseconds` since 1970.
    package func instant(ofLocal milliseconds: Int64) -> Int64 {
        var (low, high) = (0, parts.count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if parts[middle].since <= milliseconds { low = middle } else { high = middle - 1 }
        }
        return milliseconds - parts[low].ahead
    }
}
