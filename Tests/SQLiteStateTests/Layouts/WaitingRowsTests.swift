import CSQLite
import Foundation
import TestSupport
import Testing

@testable import Engine
@testable import SQLiteState

@Suite("Rows that wait are delivered as what they are, whatever the version of the job that delivers them declares")
struct WaitingRowsTests {
    private static func inputs(_ version: Int, _ numbers: Range<UInt64>) -> [LayoutJob.Input] {
        numbers.map { LayoutJob.Input(key: "key-\(version)-\($0)", low: $0, high: 1_000_000 + $0, time: 1_700_000_000_000 + Int64($0)) }
    }

    @Test("forward and back again", arguments: LayoutJob.Change.allCases, LayoutRun.Waiting.allCases)
    func everyRowIsThereOnceWithItsValuesUnderTheirNames(change: LayoutJob.Change, waiting: LayoutRun.Waiting) throws {
        for (first, second) in LayoutRun.End.allCases.flatMap({ first in LayoutRun.End.allCases.map { (first, $0) } }) {
            let run = try LayoutRun()
            var expected: [NamedRow] = []
            for (number, (version, end)) in [(1, first), (2, second), (1, .drain), (2, .drain)].enumerated() {
                let inputs = WaitingRowsTests.inputs(version, UInt64(number) * 100..<UInt64(number) * 100 + 6)
                expected += inputs.flatMap { LayoutJob.rows(of: $0, version, change) }
                try run.run(LayoutJob.topology(version, change), inputs, leaving: waiting, end)
            }
            for (sink, found) in run.sinks {
                let place = "\(change), \(waiting) waits, \(first) then \(second), sink \(sink?.text ?? "first")"
                #expect(found.differences == [], "\(place)")
                #expect(counted(found.rows) == counted(expected), "\(place)")
                for (table, batches) in Dictionary(grouping: found.batches.keys, by: \.table) {
                    #expect(batches.map(\.number.number).sorted() == Array(1...UInt64(batches.count)), "\(place), \(table)")
                }
            }
            #expect(try run.waitingRows() == 0)
        }
    }

    private func counted(_ rows: [NamedRow]) -> [NamedRow: Int] { rows.reduce(into: [:]) { $0[$1, default: 0] += 1 } }

    @Test func theStateSaysEveryLayoutOnceAndWhoDeclaredItFirst() throws {
        let run = try LayoutRun()
        for (number, version) in [1, 2, 1, 2].enumerated() {
            try run.run(
                LayoutJob.topology(version, .added), WaitingRowsTests.inputs(version, UInt64(number) * 10..<UInt64(number) * 10 + 2),
                leaving: .rows, .kill)
        }
        let reader = try StateReader(path: run.directory.file("state.db"))
        let lines = reader.outputLayouts.filter { $0.table.name == "lines" }
        #expect(lines.map(\.jobVersion) == [1, 2])
        #expect(lines.map { $0.table.columns.map(\.name) } == [["key", "low", "high", "at"], ["key", "low", "extra", "high", "at"]])
        #expect(
            try reader.waitingRowsByLayout().filter { $0.key.name == "lines" }.values.sorted() == [8, 8],
            "of two lives each, two rows for two sinks")
    }

    /// Format 2 does not say how rows are laid out.
    @Test(arguments: [1, 2]) func aFileOfFormat2IsTakenOverByTheVersionThatWroteItOrWhenNothingWaits(version: Int) throws {
        for waits in [true, false] {
            let run = try LayoutRun()
            let inputs = WaitingRowsTests.inputs(1, 0..<6)
            try run.run(LayoutJob.topology(1, .reordered), inputs, leaving: waits ? .both : .nothing, waits ? .kill : .drain)
            try downgrade(run.directory.file("state.db"))
            let goOn = { try run.run(LayoutJob.topology(version, .reordered), [], leaving: .nothing, .drain) }
            guard waits && version == 2 else {
                try goOn()
                #expect(counted(run.sinks[nil]!.rows) == counted(inputs.flatMap { LayoutJob.rows(of: $0, 1, .reordered) }))
                continue
            }
            let error = #expect(throws: StateError.self) { try goOn() }
            #expect(error?.kind == .incompatible)
            for part in ["version 1", "stop it with SIGTERM, so that it drains"] {
                #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
            }
            #expect(try StateReader(path: run.directory.file("state.db")).facts.format == 2, "nothing was changed by the refusal")
            try run.run(LayoutJob.topology(1, .reordered), [], leaving: .nothing, .drain)
            try goOn()
        }
    }

    private func downgrade(_ file: String) throws {
        var handle: OpaquePointer?
        try #require(sqlite3_open(file, &handle) == SQLITE_OK)
        defer { sqlite3_close(handle) }
        let sql = """
            DROP TABLE output_layout; DROP TABLE message_layout;
            ALTER TABLE message DROP COLUMN layout; ALTER TABLE outbox DROP COLUMN layout;
            PRAGMA user_version = 2;
            """
        try #require(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK)
    }

    @Test(arguments: [
        "columns = '[{\"name\":\"at\",\"type\":\"hologram\"}]'", "time_column = 'key'", "columns = 'none'", "order_by = '[\"nowhere\"]'",
    ])
    func aLayoutThatMakesNoTableStopsTheStartByName(change: String) throws {
        let run = try LayoutRun()
        try run.run(LayoutJob.topology(1, .same), WaitingRowsTests.inputs(1, 0..<2), leaving: .rows, .kill)
        var handle: OpaquePointer?
        try #require(sqlite3_open(run.directory.file("state.db"), &handle) == SQLITE_OK)
        try #require(sqlite3_exec(handle, "UPDATE output_layout SET \(change) WHERE name = 'lines'", nil, nil, nil) == SQLITE_OK)
        sqlite3_close(handle)
        let error = #expect(throws: StateError.self) { try run.run(LayoutJob.topology(1, .same), [], leaving: .nothing, .drain) }
        #expect(error?.message.contains("output table lines") == true && [.corrupt, .incompatible].contains(error?.kind))
    }
}
