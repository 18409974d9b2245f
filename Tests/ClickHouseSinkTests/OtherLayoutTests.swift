import ClickHouseSink
import Engine
import TestSupport
import Testing

@Suite("Rows that another version of the job wrote go into the table under their columns' names", .servers(.debian1816, .engine269))
struct OtherLayoutTests {
    private static let name = OutputColumn("name", .text), seenAt = OutputColumn("seenAt", .time), height = OutputColumn("height", .amount)
    private static let low = OutputColumn("low", .count), high = OutputColumn("high", .count)

    private static func table(_ columns: [OutputColumn]) -> OutputTable {
        OutputTable("waves", timeColumn: "seenAt", orderBy: ["name"], columns: columns)
    }

    static let first = table([name, low, high, seenAt])

    /// The other declarations, and what has to be altered for them in a table made for the first.
    enum Change: String, CaseIterable, Sendable {
        case reordered, added, removed, retyped

        var table: OutputTable {
            switch self {
            case .reordered: OtherLayoutTests.table([seenAt, high, name, low])
            case .added: OtherLayoutTests.table([name, low, height, high, seenAt])
            case .removed: OtherLayoutTests.table([name, low, seenAt])
            case .retyped: OtherLayoutTests.table([name, OutputColumn("low", .sum), high, seenAt])
            }
        }

        var statements: [String] {
            switch self {
            case .reordered: []
            case .added: ["ADD COLUMN height Decimal(18, 2) DEFAULT 0"]
            case .removed: ["MODIFY COLUMN high UInt64 DEFAULT 0"]
            case .retyped: ["MODIFY COLUMN low Decimal(38, 2) DEFAULT 0"]
            }
        }
    }

    private static func row(_ table: OutputTable, _ number: UInt64) -> [TestValue] {
        table.columns.map { column in
            switch (column.name, column.type) {
            case ("name", _): .text("wave \(number)")
            case ("low", .sum): .sum(Int128(number) * 100)
            case ("low", _): .count(number)
            case ("high", _): .count(number + 1000)
            case ("height", _): .amount(1234)
            default: .time(Waves.time)
            }
        }
    }

    private static func batch(_ table: OutputTable, _ number: UInt64) -> SinkBatch {
        SinkBatch(table, number: number, rows: [row(table, number * 10), row(table, number * 10 + 1)])
    }

    private func known(_ table: OutputTable, lastFrozen: UInt64, waiting: [OutputTable] = [], known: [OutputTable], isDeclared: Bool = true)
        -> SinkTable
    {
        SinkTable(
            table: table, lineage: .first, lastFrozen: BatchNumber(lastFrozen), isNewState: false, lineageEnds: [], isDeclared: isDeclared,
            waitingLayouts: waiting,
            knownLayouts: known
        )
    }

    private func alter(_ fixture: SinkFixture, _ statements: [String]) throws {
        for statement in statements { try fixture.server.query("ALTER TABLE \(fixture.database).waves \(statement)") }
    }

    /// Forward, and back again: each version delivers what the other one left, sent already or not, and then its own.
    @Test(arguments: ServerVersion.allCases, Change.allCases)
    func valuesStandUnderTheirNames(version: ServerVersion, change: Change) throws {
        let fixture = try SinkFixture(version)
        let (first, second) = (OtherLayoutTests.first, change.table)
        try fixture.sink(first).deliver(OtherLayoutTests.batch(first, 1))
        try alter(fixture, change.statements)
        for (number, declared, left) in [(UInt64(2), second, first), (5, first, second)] {
            let sink = try ClickHouseSink(fixture.settings(), log: fixture.log.logger)
            _ = try sink.open([known(declared, lastFrozen: number + 1, waiting: [left], known: [first, second])])
            // The first of those that were left has landed, and nobody heard of it.
            if number == 2 {
                try ClickHouseSink(fixture.settings(), log: fixture.log.logger).openAndDeliver(
                    OtherLayoutTests.batch(left, number), known(left, lastFrozen: 3, known: [first, second]))
            }
            for (batch, layout) in [(number, left), (number + 1, left), (number + 2, declared)] {
                #expect(try sink.deliver(OtherLayoutTests.batch(layout, batch), mayHaveBeenSent: batch <= number + 1) == .delivered)
            }
        }
        let rows = try fixture.server.rows(
            "SELECT _batch, _row, name, toUInt64(low), high FROM \(fixture.database).waves ORDER BY _batch, _row")
        let isOfSecond: Set<UInt64> = [4, 5, 6]
        #expect(
            rows
                == (1...7).flatMap { batch in
                    (UInt64(0)..<2).map { row in
                        let number = UInt64(batch) * 10 + row
                        let high = change == .removed && isOfSecond.contains(UInt64(batch)) ? 0 : number + 1000
                        return ["\(batch)", "\(row)", "wave \(number)", "\(number)", "\(high)"]
                    }
                })
        if change == .added {
            let added = try fixture.server.rows(
                "SELECT _batch FROM \(fixture.database).waves WHERE toString(height) LIKE '12.34%' GROUP BY _batch ORDER BY _batch")
            #expect(added == [["4"], ["5"], ["6"]])
        }
    }

    @Test(arguments: ServerVersion.allCases)
    func aTableThatTheJobNoLongerHasTakesWhatWaitsForIt(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        try fixture.sink(OtherLayoutTests.first).deliver(OtherLayoutTests.batch(OtherLayoutTests.first, 1))
        let sink = try ClickHouseSink(fixture.settings(), log: fixture.log.logger)
        let retired = known(
            OtherLayoutTests.first, lastFrozen: 2, waiting: [OtherLayoutTests.first], known: [OtherLayoutTests.first], isDeclared: false)
        #expect(try sink.open([retired]) == [:])
        #expect(try sink.deliver(OtherLayoutTests.batch(OtherLayoutTests.first, 2), mayHaveBeenSent: true) == .delivered)
        #expect(try fixture.server.rows("SELECT count() FROM \(fixture.database).waves") == [["4"]])
        try fixture.server.query("DROP TABLE \(fixture.database).waves")
        let error = #expect(throws: SinkError.self) { try ClickHouseSink(fixture.settings(), log: fixture.log.logger).open([retired]) }
        #expect(error?.kind == .missing && error?.message.contains("rows wait for the table \(fixture.database).waves") == true)
        let done = known(OtherLayoutTests.first, lastFrozen: 2, known: [OtherLayoutTests.first], isDeclared: false)
        #expect(
            try ClickHouseSink(fixture.settings(), log: fixture.log.logger).open([done]) == [:], "nothing waits for it, so it may be gone")
        #expect(
            try fixture.server.rows("SELECT count() FROM system.tables WHERE database = '\(fixture.database)'") == [["0"]],
            "it is not created again")
    }

    /// What landed is found by counting, whatever became of the columns; what did not waits for the ALTER that the trouble names.
    @Test(arguments: ServerVersion.allCases)
    func aColumnThatIsGoneStopsOnlyRowsThatAreNotThere(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        let (first, second) = (OtherLayoutTests.first, Change.removed.table)
        try fixture.sink(first).deliver(OtherLayoutTests.batch(first, 1))
        try alter(fixture, ["DROP COLUMN high"])
        let sink = try ClickHouseSink(fixture.settings(), log: fixture.log.logger)
        _ = try sink.open([known(second, lastFrozen: 2, waiting: [first], known: [first, second])])
        #expect(fixture.log.text.contains("it can't take them as it is"))
        #expect(try sink.deliver(OtherLayoutTests.batch(first, 1), mayHaveBeenSent: true) == .delivered)
        let waiting = BackgroundDelivery(sink, OtherLayoutTests.batch(first, 2))
        try waitUntil("it stops") { sink.status.first?.state == .stopped }
        #expect(sink.status.first?.lastError?.contains("ADD COLUMN `high` UInt64") == true, "\(sink.status)")
        try alter(fixture, ["ADD COLUMN high UInt64 DEFAULT 0"])
        try waitUntil("the batch is delivered") { waiting.outcome != nil }
        #expect(try waiting.outcome?.get() == .delivered)
        #expect(
            try fixture.server.rows("SELECT high FROM \(fixture.database).waves WHERE _batch = 2 ORDER BY _row") == [["1020"], ["1021"]])
    }

    @Test(arguments: ServerVersion.allCases)
    func aTypeThatCanNotHoldWhatWaitsIsNamed(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        let first = OtherLayoutTests.table([
            OtherLayoutTests.name, OutputColumn("low", .text), OtherLayoutTests.high, OtherLayoutTests.seenAt,
        ])
        let second = OtherLayoutTests.first
        _ = try fixture.sink(second)
        let sink = try ClickHouseSink(fixture.settings(), log: fixture.log.logger)
        _ = try sink.open([known(second, lastFrozen: 1, waiting: [first], known: [first, second])])
        let rows: [TestValue] = [.text("a"), .text("seven"), .count(1), .time(Waves.time)]
        let waiting = BackgroundDelivery(sink, SinkBatch(first, number: 1, rows: [rows]))
        try waitUntil("it stops") { sink.status.first?.state == .stopped }
        let text = sink.status.first?.lastError ?? ""
        #expect(
            text.contains("another version of the job wrote") && text.contains("the column low is UInt64, which can't hold texts"),
            "\(text)")
        waiting.cancel()
        try waitUntil("it ends") { waiting.outcome != nil }
        #expect(try waiting.outcome?.get() == .cancelled)
        #expect(try fixture.server.rows("SELECT count() FROM \(fixture.database).waves") == [["0"]])
    }
}

extension ClickHouseSink {
    fileprivate func openAndDeliver(_ batch: SinkBatch, _ known: SinkTable) throws {
        _ = try open([known])
        try deliver(batch)
    }
}
