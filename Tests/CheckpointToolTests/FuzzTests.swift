import Foundation
import Simulation
import TestSupport
import Testing

/// `tools/fuzz-checkpoints` runs this with many mutations under AddressSanitizer; here is a sample.
@Suite("Mutated manifests, states and deltas with right sums end every verb with an exit code, in time", .serialized)
struct FuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static func number(_ name: String) -> Int? { environment["TIDEMARK_FUZZ_\(name)"].flatMap { Int($0) } }
    private static let first = number("FROM") ?? 0
    private static let count = number("COUNT") ?? 18
    private static let seed = number("SEED") ?? 11
    private static let verbsForEach = min(number("VERBS") ?? verbs.count, verbs.count)

    /// Those that read all there is of a checkpoint, in each of the ways that there are.
    private static let verbs: [[String]] = [
        ["show", "3"], ["stats", "3"], ["scan", "3", "baskets"], ["sql", "3", "SELECT * FROM baskets"],
        ["explain", "--batch", "order_totals:1", "--at", "3"], ["diff", "1", "3"],
        ["ls"], ["verify", "3"], ["restore", "3", "--to", "TARGET"], ["rewind", "3", "--sink", "delete", "--yes"],
        ["recover", "3", "--to", "TARGET"],
    ]

    private enum Object: CaseIterable { case manifest, base, delta }

    /// The verbs that a mutation meets: the next ones of all, so that each object's mutations go through them in turn.
    private static func verbs(of number: Int) -> [[String]] {
        (0..<verbsForEach).map { verbs[(number / Object.allCases.count * verbsForEach + $0) % verbs.count] }
    }

    @Test func everyMutationEndsWell() throws {
        let store = try ForeignStore()
        let manifest = try store.manifestBytes()
        let watch = try FuzzWatch(file: FuzzTests.environment["TIDEMARK_FUZZ_PROGRESS"])
        // Each has numbers of its own, so that one can be had again without those before.
        let start = SeededRandom(seed: UInt64(FuzzTests.seed)).first
        var faults: [String] = []
        for number in FuzzTests.first..<FuzzTests.first + FuzzTests.count {
            var random = SeededRandom(seed: start &+ UInt64(number))
            let object = Object.allCases[number % Object.allCases.count]
            switch object {
            case .manifest: try store.handOver(manifest: FuzzTests.mutated(manifest, isText: true, &random))
            case .base: try store.handOver(store.manifest, base: Data(FuzzTests.mutated([UInt8](store.base), isText: false, &random)))
            case .delta: try store.handOver(store.manifest, delta: Data(FuzzTests.mutated([UInt8](store.delta), isText: false, &random)))
            }
            for verb in FuzzTests.verbs(of: number) {
                let what = "mutation \(number) of seed \(FuzzTests.seed), a \(object)"
                watch.begins(number, "\(what), \(verb)")
                faults += try store.faults(what, verbs: [verb])
            }
            if faults.count > 20 { break }
        }
        watch.ends()
        #expect(faults == [], "\(faults.joined(separator: "\n"))")
    }

    /// A few changes: a bit, a byte, a number's digits or bytes, a stretch that is gone, doubled or another's.
    private static func mutated(_ bytes: [UInt8], isText: Bool, _ random: inout SeededRandom) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let length = min(bytes.count - place, 1 << Int.random(in: 0...8, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF, UInt8(ascii: "9"), UInt8(ascii: "\"")][Int.random(in: 0..<7, using: &random)]
            case 2:
                let extreme = ExtremeValues.integers[Int.random(in: 0..<ExtremeValues.integers.count, using: &random)]
                let written = isText ? Array("\(extreme)".utf8) : withUnsafeBytes(of: extreme.bigEndian) { [UInt8]($0) }
                bytes.replaceSubrange(place..<min(bytes.count, place + (isText ? 1 : written.count)), with: written)
            // A database's pages stay where they are, or nothing of it would be read.
            case 3 where isText: bytes.removeSubrange(place..<place + length)
            case 4 where isText: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
            default:
                let from = Int.random(in: 0...bytes.count - length, using: &random)
                bytes.replaceSubrange(place..<place + length, with: Array(bytes[from..<from + length]))
            }
        }
        return bytes
    }
}

extension SeededRandom {
    fileprivate var first: UInt64 {
        var random = self
        return random.next()
    }
}
