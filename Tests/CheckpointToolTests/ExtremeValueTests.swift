import Engine
import Foundation
import SQLiteState
import TestSupport
import Testing

/// One generator over every field of every format: each number and text of manifests, every column of states and deltas, and
/// the fields of records. `TIDEMARK_EXTREMES_STRIDE=1` tries each value; by default it is one in so many, another one for each place.
@Suite("Extreme values in a checkpoint that somebody handed over end no verb but with an exit code that says so", .serialized)
struct ExtremeValueTests {
    private static let stride = ProcessInfo.processInfo.environment["TIDEMARK_EXTREMES_STRIDE"].flatMap { Int($0) } ?? 397

    private let store: ForeignStore
    init() throws { store = try ForeignStore() }

    /// Where a value stands in a JSON document.
    private enum Step {
        case field(String)
        case element(Int)
    }

    private static func places(_ value: Any, _ path: [Step] = []) -> [[Step]] {
        switch value {
        case let fields as [String: Any]: fields.keys.sorted().flatMap { places(fields[$0]!, path + [.field($0)]) }
        case let elements as [Any]: elements.indices.flatMap { places(elements[$0], path + [.element($0)]) }
        default: [path]
        }
    }

    private static func put(_ new: Any, at path: ArraySlice<Step>, in value: Any) -> Any {
        guard let step = path.first else { return new }
        switch (step, value) {
        case (.field(let name), var fields as [String: Any]):
            fields[name] = put(new, at: path.dropFirst(), in: fields[name]!)
            return fields
        case (.element(let index), var elements as [Any]):
            elements[index] = put(new, at: path.dropFirst(), in: elements[index])
            return elements
        default: return value
        }
    }

    @Test func everyFieldOfAManifest() throws {
        var faults: [String] = []
        var cases = 0
        let values: [Any] = ExtremeValues.integers.map { $0 as Any } + [UInt64.max, 1e300, NSNull()] + ExtremeValues.texts
        for place in ExtremeValueTests.places(store.manifest) {
            for value in values {
                cases += 1
                guard cases.isMultiple(of: ExtremeValueTests.stride) else { continue }
                let document = ExtremeValueTests.put(value, at: place[...], in: store.manifest) as? [String: Any] ?? [:]
                try store.handOver(document)
                faults += try store.faults("\(place) is \(String(describing: value).prefix(40))")
            }
        }
        #expect(faults == [], "\(faults.joined(separator: "\n"))")
    }

    /// The numbers that ended the tool with a trap, each at a place of its own.
    @Test func numbersThatEndedTheToolAreRefusedWithExit4() throws {
        var objects = store.manifest["objects"] as? [[String: Any]] ?? []
        for index in objects.indices { objects[index]["bytes"] = Int64.max }
        for (field, value) in [("objects", objects), ("lineage", UInt32.max), ("createdAt", Int64.min)] as [(String, Any)] {
            try store.handOver(store.manifest.merging([field: value]) { $1 })
            for verb in [["show", "3"], ["restore", "3", "--to", "TARGET"], ["rewind", "3", "--sink", "delete", "--yes"]] {
                let (status, text, _) = try store.run(verb)
                #expect(status == 4 && text.contains("manifests/00000000000000000003.json"), "\(field), \(verb): \(status) \(text)")
            }
            #expect(try store.run(["ls"]).status == 4, "one that is damaged is no reason to end as if all were well")
        }
        for sql in [
            "UPDATE batch SET number = -1", "UPDATE message SET epoch = -1", "UPDATE outbox SET epoch = -1",
            "UPDATE epoch_offsets SET epoch = -epoch",
            "UPDATE meta SET value = '9223372036854775807' WHERE name = 'epoch'",
            "UPDATE meta SET value = '18446744073709551615' WHERE name = 'epoch'",
        ] {
            try store.handOver(store.manifest, base: try changed(store.base) { try RawSQLite($0).execute(sql) })
            #expect(try store.faults(sql) == [])
            let (status, text, _) = try store.run(["restore", "3", "--to", "TARGET"])
            #expect([0, 4].contains(status), "\(sql): \(status) \(text)")
        }
    }

    private func changed(_ content: Data, _ change: (String) throws -> Void) throws -> Data {
        let path = store.file("changed.db")
        try content.write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try change(path)
        return try Data(contentsOf: URL(fileURLWithPath: path))
    }

    @Test func everyColumnOfAStateAndOfADelta() throws {
        var faults: [String] = []
        var cases = 0
        for (name, content) in [("base", store.base), ("delta", store.delta)] {
            var places: [ExtremeValues.Place] = []
            _ = try changed(content) { places = try ExtremeValues.places(inStateFile: $0) }
            let values: [(String, (ExtremeValues.Place, String) throws -> Bool)] =
                ExtremeValues.integers.map { value in
                    ("\(value)", { try ExtremeValues.put(value, at: $0, inStateFile: $1) })
                } + ExtremeValues.texts.map { text in ("'\(text.prefix(20))'", { try ExtremeValues.put(text, at: $0, inStateFile: $1) }) }
            for place in places {
                for (shown, put) in values {
                    cases += 1
                    guard cases.isMultiple(of: ExtremeValueTests.stride) else { continue }
                    var isTaken = false
                    let new = try changed(content) { isTaken = try put(place, $0) }
                    guard isTaken else { continue }
                    try name == "base" ? store.handOver(store.manifest, base: new) : store.handOver(store.manifest, delta: new)
                    faults += try store.faults("\(name): \(place) is \(shown)")
                }
            }
        }
        #expect(faults == [], "\(faults.prefix(40).joined(separator: "\n"))")
    }

    /// Of two checkpoints that are compared, too, it is said which one is damaged.
    @Test func aRecordThatCanNotBeReadIsNamedWithItsCheckpoint() throws {
        // A key that the delta says nothing of.
        let damage = """
            DELETE FROM delta WHERE state_table = (SELECT id FROM state_table WHERE stage = 'orders' AND name = 'baskets');
            INSERT INTO keyed SELECT task.id, state_table.id, CAST('carla' AS BLOB), x'FF' FROM task, state_table
            WHERE task.stage = 'orders' AND state_table.stage = 'orders' AND name = 'baskets'
            """
        try store.handOver(store.manifest, base: try changed(store.base) { try RawSQLite($0).execute(damage) })
        for verb in [
            ["get", "3", "baskets", "carla"], ["scan", "3", "baskets"], ["export", "3", "baskets"], ["sql", "3", "SELECT * FROM baskets"],
            ["history", "baskets", "carla"], ["diff", "1", "3"], ["diff", "3", "1"],
        ] {
            let (status, text, _) = try store.run(verb)
            #expect(
                status == 4 && text.contains("checkpoint 3 of ") && text.contains("/shop is damaged: the record of key"),
                "\(verb): \(status) \(text)")
        }
    }

    @Test func aManifestOfAnotherJobIsDamageAndHidesNoOther() throws {
        try store.handOver(store.manifest.merging(["job": "another"]) { $1 })
        for verb in [
            ["show", "3"], ["verify", "3"], ["verify", "--all"], ["ls"], ["restore", "3", "--to", "TARGET"],
            ["rewind", "3", "--sink", "delete", "--yes"],
        ] {
            let (status, text, _) = try store.run(verb)
            #expect(status == 4, "\(verb): \(status) \(text)")
        }
    }

    @Test func recordsWithFieldsAtTheirLimits() throws {
        for record in ExtremeRecords.records(ShopJob.baskets) {
            let new = try changed(store.base) { path in
                for place in try ExtremeValues.places(inStateFile: path) where place.table == "keyed" && place.column == "record" {
                    _ = try ExtremeValues.put(record, at: place, inStateFile: path)
                }
            }
            try store.handOver(store.manifest, base: new)
            #expect(try store.faults("a record of \(record.count) bytes") == [])
        }
    }
}
