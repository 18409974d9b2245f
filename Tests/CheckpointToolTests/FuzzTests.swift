import Foundation
import Simulation
import TestSupport
import Testing

/// `tools/fuzz-checkpoints` runs this with many mutations under AddressSanitizer; here is a sample.
@Suite("Mutated manifests, states and deltas with right sums end every verb with an exit code, in time", .serialized)
struct FuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let count = environment["TIDEMARK_FUZZ_COUNT"].flatMap { Int($0) } ?? 18
    private static let seed = environment["TIDEMARK_FUZZ_SEED"].flatMap { UInt64($0) } ?? 11

    /// Those that read all there is of a checkpoint, in each of the ways that there are.
    private static let verbs: [[String]] = [
        ["show", "3"], ["stats", "3"], ["scan", "3", "baskets"], ["sql", "3", "SELECT * FROM baskets"], ["explain", "--batch", "order_totals:1", "--at", "3"], ["diff", "1", "3"],
        ["ls"], ["verify", "3"], ["restore", "3", "--to", "TARGET"], ["rewind", "3", "--sink", "delete", "--yes"], ["recover", "3", "--to", "TARGET"],
    ]

    @Test func everyMutationEndsWell() throws {
        var random = SeededRandom(seed: FuzzTests.seed)
        let store = try ForeignStore()
        let manifest = try store.manifestBytes()
        var faults: [String] = []
        let start = ContinuousClock.now
        for number in 0..<FuzzTests.count {
            let what: String
            switch number % 3 {
            case 0:
                try store.handOver(manifest: FuzzTests.mutated(manifest, isText: true, &random))
                what = "manifest"
            case 1:
                try store.handOver(store.manifest, base: Data(FuzzTests.mutated([UInt8](store.base), isText: false, &random)))
                what = "base"
            default:
                try store.handOver(store.manifest, delta: Data(FuzzTests.mutated([UInt8](store.delta), isText: false, &random)))
                what = "delta"
            }
            faults += try store.faults("mutation \(number) of seed \(FuzzTests.seed), a \(what)", verbs: FuzzTests.verbs)
            if faults.count > 20 { break }
        }
        #expect(faults == [], "\(faults.joined(separator: "\n"))")
        if FuzzTests.environment["TIDEMARK_FUZZ_COUNT"] != nil {
            FileHandle.standardError.write(Data("fuzz: \(FuzzTests.count) mutations of seed \(FuzzTests.seed), \(FuzzTests.verbs.count) verbs each, in \(ContinuousClock.now - start)\n".utf8))
        }
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
