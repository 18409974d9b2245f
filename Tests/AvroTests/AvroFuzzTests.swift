import Avro
import Engine
import Simulation
import TestSupport
import Testing

@Suite("Whatever the bytes and whatever the schema, reading agrees with a slow reader and never stops")
struct AvroFuzzTests {
    @Test(arguments: [1 as UInt64, 20_251_130])
    func mutatedRecordsAreReadAsTheSlowReaderHasThem(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var (read, malformed) = (0, 0)
        for round in 0..<400 {
            var names = 0
            let type = TestType.record(&random, &names)
            let schema = try AvroSchema(Array(type.json.utf8))
            for _ in 0..<20 {
                var bytes = AvroBytes()
                type.write(&random, to: &bytes)
                #expect(
                    ShownFields.read(bytes.bytes, by: schema) == SlowReader.read(bytes.bytes, as: type),
                    "seed \(seed), round \(round), \(type.json)")
                var mutated = bytes.bytes
                for _ in 0...random.number(in: 0...2) { AvroFuzzTests.change(&mutated, &random) }
                let outcome = ShownFields.read(mutated, by: schema)
                #expect(outcome == SlowReader.read(mutated, as: type), "seed \(seed), round \(round), \(mutated), \(type.json)")
                if outcome == "malformed" { malformed += 1 } else { read += 1 }
            }
        }
        // The mutations reach what they are meant to reach.
        #expect(read > 1000 && malformed > 1000, "\(read) read, \(malformed) malformed")
    }

    private static func change(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        let place = Int(random.number(in: 0...bytes.count))
        switch random.number(in: 0...5) {
        case 0 where place < bytes.count: bytes[place] = UInt8(random.number(in: 0...255))
        case 1 where place < bytes.count: bytes[place] ^= 1 << UInt8(random.number(in: 0...7))
        case 2 where place < bytes.count: bytes.remove(at: place)
        case 3: bytes.removeSubrange(place...)
        // The greatest and the least numbers, and ones that never end.
        case 4:
            bytes.insert(
                contentsOf: [[0xFE], [0xFF]][Int(random.number(in: 0...1))] + Array(repeating: 0xFF, count: Int(random.number(in: 0...9)))
                    + [1], at: place)
        default: bytes.insert(UInt8(random.number(in: 0...255)), at: place)
        }
    }

    @Test(arguments: [2 as UInt64, 3])
    func mutatedSchemasAreReadOrRefused(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let signs = Array("{}[]\",:\\0-ntfu ".utf8)
        var (usable, refused) = (0, 0)
        for _ in 0..<3000 {
            var names = 0
            let type = TestType.record(&random, &names)
            var text = Array(type.json.utf8)
            for _ in 0...random.number(in: 0...2) {
                let place = Int(random.number(in: 0...text.count - 1))
                switch random.number(in: 0...3) {
                case 0: text[place] = signs[Int(random.number(in: 0...signs.count - 1))]
                case 1: text.insert(signs[Int(random.number(in: 0...signs.count - 1))], at: place)
                case 2: text.removeSubrange(place..<min(place + 6, text.count))
                default: text.insert(contentsOf: text[place..<min(place + 30, text.count)], at: place)
                }
                if text.isEmpty { break }
            }
            guard let schema = try? AvroSchema(text) else {
                refused += 1
                continue
            }
            usable += 1
            // Whatever it says now, records are read by it or refused.
            var bytes = AvroBytes()
            type.write(&random, to: &bytes)
            _ = ShownFields.read(bytes.bytes, by: schema)
        }
        #expect(usable > 100 && refused > 1000, "\(usable) usable, \(refused) refused")
    }
}
