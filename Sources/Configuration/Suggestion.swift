import Engine

/// Finds the key that somebody meant.
enum Suggestion {
    /// The known key nearest to `key`; nil when none is near. A key that is right but for its section counts as near.
    static func nearest(to key: String, among known: some Sequence<String>) -> String? {
        let wanted = key.lowercased()
        let lastPart = wanted.parts(at: ".").last ?? ""
        var best: (distance: Int, whole: Int, key: String)?
        for candidate in known {
            let lowered = candidate.lowercased()
            let whole = editDistance(Array(wanted.utf8), Array(lowered.utf8))
            var distance = whole
            if let part = lowered.parts(at: ".").last {
                distance = min(distance, editDistance(Array(lastPart.utf8), Array(part.utf8)) + 1)
            }
            if best.map({ (distance, whole, candidate) < ($0.distance, $0.whole, $0.key) }) ?? true { best = (distance, whole, candidate) }
        }
        guard let best, best.distance <= max(2, lastPart.utf8.count / 3) else { return nil }
        return best.key
    }

    /// Levenshtein's distance.
    static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let replaced = diagonal + (byte == right[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, row[column + 1] + 1)
            }
        }
        return row[right.count]
    }
}
