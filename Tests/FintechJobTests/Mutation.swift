import Simulation

/// Random damage to records: enough of it to reach every branch of a decoder, the same for the same seed.
struct Mutation {
    private var random: SeededRandom
    private let lines: [[UInt8]]
    private static let fragments = [
        "\"", "\\", "{", "}", "[", "]", ",", ":", "null", "true", "-", ".", "e9", "E-3", "0", "5", "\\u0041", "\\ud83d\\ude80", "\\ud800",
        "\\udc00", "é", "🚀", "\"op\":\"c\",", "\"op\":\"u\",", "\"before\":null,", "\"after\":{},", "\"after\":{\"id\":1},",
        "\"__op\":\"d\",",
        "\"__deleted\":true,", "\"schema\":null,", "\"payload\":{},", "\"id\":null,", "\"amount\":1e2,", "\"amount\":\"0.005\",",
        "\"created_at\":1741600800000,", "\"ended_at\":\"2025-03-10T17:30:00+0730\",", "\"actions_count\":7.0,",
        "\"transaction_location\":{\"country\":\"X\"},", "\n", " ", "\t", "\u{0}", "\u{7F}",
        "\"source\":{},", "\"op\":\"t\",", "\"amount\":{\"scale\":2,\"value\":\"AfQ=\"},", "\"id\":-7,", "\"fee_amount\":\"NaN\",",
        "\"amount\":\"1E+3\",",
        "__debezium_unavailable_value", "Struct{", "\"created_at\":\"2025-03-10 10:00:00\",", "\"created_at\":253402300799000,",
        "\"status\":\"failed   \",",
    ].map { Array($0.utf8) }

    init(seed: UInt64, lines: [[UInt8]]) {
        random = SeededRandom(seed: seed)
        self.lines = lines
    }

    /// A line with one to four changes.
    mutating func next() -> [UInt8] {
        var line = lines[below(lines.count)]
        for _ in 0...below(4) { change(&line) }
        return line
    }

    private mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<max(limit, 1), using: &random) }

    private mutating func change(_ line: inout [UInt8]) {
        let place = below(line.count + 1)
        let length = below(min(line.count - place, 40) + 1)
        switch below(8) {
        case 0 where place < line.count: line[place] = UInt8(below(256))
        case 1 where place < line.count: line[place] ^= 1 << UInt8(below(8))
        case 2: line.removeSubrange(place..<place + length)
        case 3: line.insert(contentsOf: line[place..<place + length], at: below(line.count))
        case 4:
            let other = lines[below(lines.count)]
            let start = below(other.count)
            line.insert(contentsOf: other[start..<min(start + 60, other.count)], at: place)
        case 5: line.removeSubrange(place...)
        case 6:
            // Behind a comma or brace, where whole fields fit.
            let after = line.indices.filter { line[$0] == UInt8(ascii: ",") || line[$0] == UInt8(ascii: "{") }
            guard !after.isEmpty else { return }
            line.insert(contentsOf: Mutation.fragments[below(Mutation.fragments.count)], at: after[below(after.count)] + 1)
        default: line.insert(contentsOf: Mutation.fragments[below(Mutation.fragments.count)], at: place)
        }
    }
}
