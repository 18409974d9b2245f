import Engine
import FintechJob
import Foundation
import Simulation
import TestSupport
import Testing

@Suite("Two versions of the bank's job that differ in columns, state and messages hand it over to each other under traffic")
struct VersionHandOverTests {
    private static let handOvers = 30
    private static let partitions = 8

    /// Forth and back in random order: by SIGTERM or SIGKILL, the next worker waiting for it or started afterwards; at every third one
    /// ClickHouse is killed before, so that rows of one version wait for the other.
    @Test(.timeLimit(.minutes(15)))
    func theTablesEqualThoseOfVersionsThatRanAlone() throws {
        let seed = ProcessInfo.processInfo.environment["TIDEMARK_HAND_OVER_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0 ... .max)
        print("version hand-over test: TIDEMARK_HAND_OVER_SEED=\(seed)")
        let next = try NextBankVersion.binary()
        let clickHouse = try ClickHouseServer()
        let broker = try DevelopmentBrokerProcess(
            topics: GoldenCase.streams.map { "\($0):\(Self.partitions)" } + GoldenCase.referenceTopics.map { "\($0):1" })
        // Few customers, so that a window has several transactions and its least and greatest amounts are two.
        let generator = try TidemarkBinary.start([
            "generate", "--brokers", broker.brokers, "--transactions", "200000", "--partitions", "\(Self.partitions)", "--seed",
            "\(seed % 1000)",
            "--rate", "400", "--speedup", "40", "--sessions-first", "--customers", "100", "--merchants", "20",
        ])
        try broker.waitForTransactions(400, partitions: Self.partitions)
        let job = try JobFixture(
            .kafka(broker.brokers), clickHouse, settings: ["clickhouse.flushInterval=200ms", "epoch.interval=100ms", "drain.timeout=500ms"])
        try NextBankVersion.prepareTables(of: job)
        for version in [TidemarkBinary.path, next] {
            let fits = try job.run("tables", of: version)
            #expect(fits.status == 0, "both say that they fit: \(fits)")
        }

        var bank = HandedOverJob(job, clickHouse, versions: [TidemarkBinary.path, next], seed: seed)
        try bank.handOver(times: Self.handOvers)
        #expect(generator.isRunning, "the traffic ended before the last hand-over: \(generator.errors)")
        generator.send(SIGKILL)
        generator.waitForExit()
        let last = try bank.finish()
        print("version hand-over test: \(bank.summary); version \(last + 2) finished")
        #expect(bank.handOvers == Self.handOvers && bank.clickHouseKills > 0 && bank.drainsWithRest > 0, "\(bank.summary)")
        try broker.requireWholeLog(partitions: Self.partitions)
        try compare(job, broker, next, clickHouse, seed: seed)
    }

    private func compare(
        _ job: JobFixture, _ broker: DevelopmentBrokerProcess, _ next: String, _ clickHouse: ClickHouseServer, seed: UInt64
    ) throws {
        let first = try JobFixture(.kafka(broker.brokers), clickHouse)
        let later = try JobFixture(.kafka(broker.brokers), clickHouse)
        for (fixture, version) in [(first, TidemarkBinary.path), (later, next)] {
            let alone = try fixture.run("run", ["--until-end"], of: version)
            #expect(alone.status == 0, "\(alone.errors)")
        }
        for table in GoldenEndToEndTests.tables {
            let columns = table.columns.filter { table.name != NextBankVersion.removed.table || $0.name != NextBankVersion.removed.column }
            let common = OutputTable(
                table.name, timeColumn: table.timeColumn, orderBy: table.orderBy, keyColumn: table.keyColumn, columns: columns)
            for alone in [first, later] {
                #expect(try job.rowCount(table.name) == alone.rowCount(table.name), "\(table.name) with seed \(seed)")
                #expect(try job.rowsThatDiffer(from: alone, common) == 0, "\(table.name) with seed \(seed)")
            }
            #expect(try job.provenanceProblems(table.name) == [], "seed \(seed)")
        }
        try checkAddedColumns(of: job, beside: later)
        try checkRemovedColumn(of: job, beside: first)
    }

    /// Rows of the next version have the value, those of the first one the default. What the new field of the state counts is lost with
    /// each way back, so it is never more than what was counted without one.
    private func checkAddedColumns(of job: JobFixture, beside later: JobFixture) throws {
        let table = NextBankVersion.added.table
        let wrong = try count("amountSpread != 0 AND amountSpread != maxAmount - minAmount OR largeCount > transactionCount", table, job)
        #expect(wrong == 0, "rows of \(table) with values of neither version")
        #expect(try surplus("customerId, eventTime", "largeCount", table, of: job, over: later) == 0)
        let (byFirst, byNext) = (
            try count("minAmount != maxAmount AND amountSpread = 0", table, job), try count("amountSpread != 0", table, job)
        )
        let large = try count("largeCount > 0", table, job)
        #expect(byFirst > 0 && byNext > 0 && large > 0, "\(byFirst), \(byNext), \(large)")
        print("version hand-over test: of the windows with several amounts \(byFirst) are rows of the first version, \(byNext) of the next")
    }

    /// Rows of the first version have the value, those of the next one the default.
    private func checkRemovedColumn(of job: JobFixture, beside first: JobFixture) throws {
        let (table, column) = NextBankVersion.removed
        #expect(try surplus("customerId, eventTime, eventType, \(column)", "toUInt64(\(column) != 0)", table, of: job, over: first) == 0)
        let (held, whole) = (try count("\(column) != 0", table, job), try count("\(column) != 0", table, first))
        #expect(held > 0 && held < whole, "\(held) of \(whole)")
    }

    private func count(_ condition: String, _ table: String, _ job: JobFixture) throws -> Int {
        Int(try job.clickHouse.rows("SELECT count() FROM \(job.database).\(table) WHERE \(condition)")[0][0]) ?? -1
    }

    /// In how many groups of rows a count adds up to more in one job's table than in the other's.
    private func surplus(_ group: String, _ count: String, _ table: String, of job: JobFixture, over other: JobFixture) throws -> Int {
        let sides = [(job, 1), (other, -1)].map {
            "SELECT \(group), toInt64(\(count)) * toInt64(\($1)) AS counted FROM \($0.database).\(table)"
        }
        let text =
            "SELECT count() FROM (SELECT \(group), sum(counted) AS total FROM (\(sides.joined(separator: " UNION ALL "))) GROUP BY \(group)) WHERE total > 0"
        return Int(try job.clickHouse.rows(text)[0][0]) ?? -1
    }
}
