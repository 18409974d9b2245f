import Testing

@testable import Engine

@Suite("What a start would do with stored state: each table is kept, migrated, begun, ignored or refused, and why")
struct StateCompatibilityTests {
    private static func schema(
        _ version: Int, _ fields: [String] = ["a"], key: StateKeyKind = .key, hasTimer: Bool = false, span: Int64? = nil,
        table: String = "t"
    ) -> StateSchema {
        StateSchema(
            table: table, version: version, key: key, hasTimer: hasTimer, span: span.map { EventSpan(milliseconds: $0) },
            fields: fields.map { StateField(name: $0, type: .unsigned) }
        )
    }

    private static func row(_ schema: StateSchema, _ role: StoredStateTable.Role = .current, since: Int = 1, removedIn: Int? = nil)
        -> StoredStateTable
    {
        StoredStateTable(stage: "s", schema: schema, role: role, since: since, removedIn: removedIn)
    }

    private func compare(
        job: Int, least: Int? = nil, _ rows: [StoredStateTable], with version: Int, _ declared: [StateDeclaration], dropping: [String] = []
    ) -> StateCompatibility {
        StateCompatibility.compare(
            stored: StoredStateVersions(jobVersion: job, leastReader: least ?? job, tables: rows),
            declared: DeclaredStateTables(jobVersion: version, tables: declared.map { ("s", $0) }), dropping: dropping
        )
    }

    private let one = StateDeclaration(schema: schema(1))
    private let two = StateDeclaration(schema: schema(2, ["a", "b"]), evolution: .from(1).adding("b"))

    @Test func theSameVersionIsKept() {
        let same = compare(job: 1, [StateCompatibilityTests.row(one.schema)], with: 1, [one])
        #expect(same.tables.map(\.action) == [.keep] && same.refusals == [] && !same.isFinalizePending && same.leastReader == 1)
    }

    @Test func aHigherVersionMigratesAndKeepsTheOneBefore() {
        let up = compare(job: 1, [StateCompatibilityTests.row(one.schema)], with: 2, [two])
        #expect(up.tables.map(\.action) == [.migrate] && up.refusals == [] && up.isFinalizePending && up.leastReader == 1)
        let rows = [StateCompatibilityTests.row(one.schema, .fallback), StateCompatibilityTests.row(two.schema, since: 2)]
        let again = compare(job: 2, least: 1, rows, with: 2, [two])
        #expect(again.tables.map(\.action) == [.keep] && again.isFinalizePending && again.leastReader == 1)
        let back = compare(job: 2, least: 1, rows, with: 1, [one])
        #expect(back.tables.map(\.action) == [.goBack] && back.refusals == [] && back.leastReader == 1)
    }

    @Test func onlyOneVersionIsKeptAndAnOlderOneIsRefused() {
        let rows = [StateCompatibilityTests.row(one.schema, .fallback), StateCompatibilityTests.row(two.schema, since: 2)]
        let further = compare(job: 2, least: 1, rows, with: 3, [two])
        #expect(further.tables.map(\.action) == [.keep] && further.leastReader == 2 && further.isFinalizePending)
        let tooOld = compare(job: 3, least: 2, [StateCompatibilityTests.row(two.schema, since: 2)], with: 1, [one])
        #expect(tooOld.tables.isEmpty && tooOld.refusal?.contains("from version 2 of the job on, this is version 1") == true)
    }

    @Test func tablesComeAndGo() {
        let rows = [StateCompatibilityTests.row(one.schema), StateCompatibilityTests.row(StateCompatibilityTests.schema(1, table: "u"))]
        let added = StateDeclaration(schema: StateCompatibilityTests.schema(1, table: "v"))
        let up = compare(job: 1, rows, with: 2, [one, added])
        #expect(up.tables.map(\.name) == ["t", "u", "v"] && up.tables.map(\.action) == [.keep, .ignore, .startEmpty])
        let after = [
            rows[0], StateCompatibilityTests.row(rows[1].schema, .removed, removedIn: 2),
            StateCompatibilityTests.row(added.schema, since: 2),
        ]
        let back = compare(job: 2, least: 1, after, with: 1, [one, StateDeclaration(schema: rows[1].schema)])
        #expect(back.tables.map(\.action) == [.keep, .goBack, .discard])
        let dropped = compare(job: 2, least: 1, after, with: 2, [one, added], dropping: ["s/u"])
        #expect(dropped.tables.map(\.action) == [.keep, .drop, .keep] && dropped.leastReader == 2 && !dropped.isFinalizePending)
        let revived = compare(job: 2, least: 1, after, with: 3, [one, added, StateDeclaration(schema: rows[1].schema)])
        #expect(revived.refusals.count == 1 && revived.refusals[0].contains("--drop u"))
        let anew = compare(job: 2, least: 1, after, with: 3, [one, added, StateDeclaration(schema: rows[1].schema)], dropping: ["u"])
        #expect(anew.refusals == [] && anew.tables.map(\.action) == [.keep, .startEmpty, .keep])
    }

    @Test(arguments: [
        (schema(1, ["b"]), 1, "with other fields"), (schema(1, ["b"]), 2, "with other fields"),
        (schema(2, ["a"]), 1, "raise the job's version"),
        (schema(2, ["a"]), 2, "declares no evolution"), (schema(1, key: .windowAndKey, span: 5), 2, "can't be brought under other keys"),
        (schema(2, hasTimer: true), 2, "timers"), (schema(0), 2, "which is older"),
    ])
    func aChangeThatCantBeMadeIsRefused(declared: StateSchema, version: Int, reason: String) {
        let found = compare(job: 1, [StateCompatibilityTests.row(one.schema)], with: version, [StateDeclaration(schema: declared)])
        #expect(found.tables.map(\.action) == [.refuse])
        #expect(found.refusals.count == 1 && found.refusals[0].contains(reason), "\(found.refusals)")
    }

    @Test func anotherSpanOfWindowsIsRefusedAndAnUnknownOneIsNot() {
        func windows(_ span: Int64?) -> StateSchema { StateCompatibilityTests.schema(1, key: .windowAndKey, span: span) }
        let other = compare(job: 1, [StateCompatibilityTests.row(windows(1_000))], with: 2, [StateDeclaration(schema: windows(2_000))])
        #expect(other.refusals.count == 1 && other.refusals[0].contains("1000 ms long and would be 2000 ms"))
        let unknown = compare(job: 1, [StateCompatibilityTests.row(windows(nil))], with: 2, [StateDeclaration(schema: windows(2_000))])
        #expect(unknown.refusals == [] && unknown.tables.map(\.action) == [.keep])
    }

    @Test func whatIsThereOrUnknownCantBeDropped() {
        let rows = [StateCompatibilityTests.row(one.schema)]
        #expect(compare(job: 1, rows, with: 1, [one], dropping: ["t"]).refusals.first?.contains("this version of the job has it") == true)
        #expect(compare(job: 1, rows, with: 1, [one], dropping: ["x"]).refusals.first?.contains("no such table") == true)
        #expect(compare(job: 1, rows, with: 1, []).refusals.first?.contains("raise the job's version") == true)
    }
}
