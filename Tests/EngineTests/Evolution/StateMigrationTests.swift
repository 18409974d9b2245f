import Simulation
import Testing

@testable import Engine

@Suite("A changed table: stored records become declared ones by name, and back, without the code of either")
struct StateMigrationTests {
    /// Decodes, changes and encodes values, and compares with what the bytes became.
    @Test func randomRecordsOfRandomVersionsBecomeWhatTheModelSays() throws {
        var random = SeededRandom(seed: 77)
        var (carried, changed) = (0, 0)
        for _ in 0..<3_000 {
            let evolution = RandomEvolution(&random)
            let migration = try StateMigration(from: evolution.stored, to: evolution.declared)
            var scratch = MappingScratch()
            for _ in 0..<3 {
                let timer = Int64(random.number(in: -5...5))
                let record = Dictionary(
                    uniqueKeysWithValues: evolution.stored.fields.map { ($0.name, ModelValue.random($0.type, &random)) })
                let old = RandomEvolution.encode(record, timer: timer, evolution.stored)
                var expected = record
                for step in evolution.steps { step(&expected) }
                let new = RandomEvolution.encode(expected, timer: timer, evolution.declared.schema)
                #expect(mapped(old, migration.forth, &scratch) == new)
                if old != new { changed += 1 }

                // The new version goes on with other values; the earlier one finds them, or its own where nobody says them.
                let later = Dictionary(
                    uniqueKeysWithValues: evolution.declared.schema.fields.map { ($0.name, ModelValue.random($0.type, &random)) })
                var found: [String: ModelValue?] = later.mapValues { .some($0) }
                for step in evolution.stepsBack.reversed() { step(&found) }
                let back = try #require(
                    mapped(RandomEvolution.encode(later, timer: timer, evolution.declared.schema), migration.back, &scratch))
                let merged = merge(back, over: old, CarriedFields(migration.carried, of: evolution.stored))
                let expectedBack = record.merging(found.compactMapValues { $0 }) { $1 }
                #expect(merged == RandomEvolution.encode(expectedBack, timer: timer, evolution.stored))
                #expect(Set(migration.carried) == Set(found.filter { $0.value == nil }.keys))
                carried += migration.carried.isEmpty ? 0 : 1
            }
        }
        #expect(changed > 4_000 && carried > 2_000, "\(changed) records changed, \(carried) had fields that only the earlier version knows")
    }

    private func mapped(_ record: [UInt8], _ mapping: RecordMapping, _ scratch: inout MappingScratch) -> [UInt8]? {
        var writer = ByteWriter()
        writer.write(byte: 7)
        let isMapped = record.withView { mapping.map($0, scratch: &scratch, into: &writer) }
        #expect(isMapped || writer.count == 1, "what failed leaves nothing behind")
        return isMapped ? Array(writer.copy().dropFirst()) : nil
    }

    private func merge(_ record: [UInt8], over earlier: [UInt8], _ fields: CarriedFields) -> [UInt8] {
        var writer = ByteWriter()
        #expect(record.withView { new in earlier.withView { fields.merge(new, over: $0, into: &writer) } })
        return writer.copy()
    }

    @Test func damagedRecordsAreNoticed() throws {
        var random = SeededRandom(seed: 5)
        var scratch = MappingScratch()
        for _ in 0..<300 {
            let evolution = RandomEvolution(&random)
            let migration = try StateMigration(from: evolution.stored, to: evolution.declared)
            let record = Dictionary(uniqueKeysWithValues: evolution.stored.fields.map { ($0.name, ModelValue.random($0.type, &random)) })
            let bytes = RandomEvolution.encode(record, timer: 1, evolution.stored)
            for length in 0..<bytes.count { #expect(mapped(Array(bytes[..<length]), migration.forth, &scratch) == nil) }
            #expect(mapped(bytes + [0], migration.forth, &scratch) == nil)
        }
    }

    @Test func aDeltaIsMappedRecordByRecord() throws {
        let stored = schema(1, [("a", .unsigned), ("b", .text)], key: .windowAndKey)
        let declared = StateDeclaration(
            schema: schema(2, [("b", .text), ("c", .unsigned)], key: .windowAndKey),
            evolution: .from(1).dropping("a").adding("c", default: UInt64(9)))
        let migration = try StateMigration(from: stored, to: declared)
        let prefix = [UInt8](repeating: 1, count: 8)
        let delta: [UInt8] = [1, 1] + prefix + [1, 2, 50, 51] + [2, 9] + prefix + [60, 3, 5, 1, 65] + [9] + prefix + [61, 2, 6, 0]
        let expected: [UInt8] = [1, 1] + prefix + [1, 2, 50, 51] + [2, 9] + prefix + [60, 3, 1, 65, 9] + [9] + prefix + [61, 2, 0, 9]
        var scratch = MappingScratch()
        #expect(delta.withView { migration.forth.map(delta: $0, scratch: &scratch) } == expected)
        for length in 0..<delta.count {
            #expect(Array(delta[..<length]).withView { migration.forth.map(delta: $0, scratch: &scratch) } == nil)
        }
    }

    @Test func whatInitGivesIsTheDefault() throws {
        struct Visit: StateRecord {
            var count: UInt64 = 0
            var weight: Int64 = -3
            mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
                visit.field("count", &count)
                visit.field("weight", &weight)
            }
        }
        let declared = StateDeclaration(table: "t", version: 2, key: .key, evolution: .from(1).adding("weight"), record: Visit.self)
        let migration = try StateMigration(from: schema(1, [("count", .unsigned)]), to: declared)
        var scratch = MappingScratch()
        let bytes = try #require(mapped([7], migration.forth, &scratch))
        var visit = Visit()
        #expect(bytes.withView { FieldDecoder.decode($0, into: &visit) } && visit.count == 7 && visit.weight == -3)
    }

    @Test func aNumberThatDoesNotFitStopsTheMigrationAndIsClampedOnTheWayBack() throws {
        let declared = StateDeclaration(schema: schema(2, [("a", .signed)]), evolution: .from(1).widening("a", to: .signed))
        let migration = try StateMigration(from: schema(1, [("a", .unsigned)]), to: declared)
        var scratch = MappingScratch()
        #expect(mapped(UInt64.max.encodedField, migration.forth, &scratch) == nil)
        #expect(mapped(UInt64(Int64.max).encodedField, migration.forth, &scratch) == Int64.max.encodedField)
        #expect(mapped(Int64(-1).encodedField, migration.back, &scratch) == UInt64(0).encodedField)
    }

    @Test(arguments: [
        (StateEvolution.none, "declares no evolution"), (.from(2), "goes on from version 2"), (.from(1), "no longer declared"),
        (.from(1).dropping("a"), "its field 'c' is not in what is stored"), (.from(1).dropping("x"), "no field 'x' to be dropped"),
        (.from(1).renaming("x", to: "c"), "no field 'x' to be renamed"), (.from(1).renaming("a", to: "b"), "a field 'b' is there already"),
        (.from(1).adding("b"), "a field 'b' is there already"), (.from(1).renaming("a", to: "c"), "say .widening or .converting"),
        (.from(1).dropping("a").adding("c", default: true), "say .widening or .converting"),
        (.from(1).widening("b", to: .signed), "can't be widened"), (.from(1).widening("a", to: .bool), "can't be widened"),
        (.from(1).converting("a", { (text: TextField) in text }), "its conversion takes text"),
        (.from(1).dropping("a", leaving: true).adding("c"), "what dropping 'a' leaves is of type bool"),
    ])
    func whatIsNotDeclaredIsRefusedWithWhatToSay(evolution: StateEvolution, reason: String) {
        let declared = StateDeclaration(schema: schema(3, [("c", .signed), ("b", .text)]), evolution: evolution)
        let refusal = #expect(throws: EvolutionRefusal.self) {
            try StateMigration(from: schema(1, [("a", .unsigned), ("b", .text)]), to: declared)
        }
        #expect(refusal?.description.contains(reason) == true, "\(refusal?.description ?? "")")
    }

    private func schema(_ version: Int, _ fields: [(String, StateFieldType)], key: StateKeyKind = .key) -> StateSchema {
        StateSchema(table: "t", version: version, key: key, hasTimer: false, fields: fields.map { StateField(name: $0, type: $1) })
    }
}
