import Admin
import CurlHTTP
import Engine
import Foundation
import TestSupport
import Testing

@Suite("What waits in one version of the bank's job when ClickHouse is cut off, the other version delivers, forward and back", .serialized)
struct WaitingRowsHandOverTests {
    /// How a version ends that has rows waiting, and a batch of which nobody knows whether it landed.
    enum Ending: CaseIterable {
        case kill, drainThatLeavesRows
        /// ClickHouse is let through before, so that nothing waits at the end.
        case cleanDrain
    }

    enum Direction: CaseIterable {
        /// From the repository's version to the next one.
        case forward
        /// And on to the repository's again, so that rows of both wait for it.
        case back
    }

    @Test(.timeLimit(.minutes(15))) func onClickHouse18() throws { try everyHandOver(on: ClickHouseServer()) }
    @Test(.timeLimit(.minutes(15))) func onClickHouse26() throws { try everyHandOver(on: ChdbServer()) }

    private func everyHandOver(on clickHouse: any TestClickHouse) throws {
        let next = try NextBankVersion.binary()
        var golden: [String: [GoldenRow]] = [:]
        for table in GoldenEndToEndTests.tables { golden[table.name] = try GoldenCase.basic.expectedRows(of: table.name) }
        for direction in Direction.allCases {
            for ending in Ending.allCases {
                let begun = Date()
                let job = try CutOffJob(clickHouse, parts: direction == .forward ? 2 : 3)
                try NextBankVersion.prepareTables(of: job.fixture)
                try job.run(TidemarkBinary.path, endingWith: ending)
                if direction == .back { try job.run(next, endingWith: ending) }
                try job.finish(direction == .forward ? next : TidemarkBinary.path)
                for table in GoldenEndToEndTests.tables {
                    try compare(table, golden[table.name] ?? [], job.fixture, "\(direction) after \(ending)")
                }
                print("waiting rows, \(direction) after \(ending): \(String(format: "%.1f", Date().timeIntervalSince(begun))) s")
            }
        }
    }

    private func compare(_ table: OutputTable, _ golden: [GoldenRow], _ job: JobFixture, _ what: String) throws {
        let isAddedTo = table.name == NextBankVersion.added.table
        let added = isAddedTo ? NextBankVersion.added.columns : []
        let removed = table.name == NextBankVersion.removed.table ? [NextBankVersion.removed.column] : []
        let addedColumns = isAddedTo ? [OutputColumn("amountSpread", .amount), OutputColumn("largeCount", .count)] : []
        let found = try TableRows(table.columns + addedColumns, of: table.name, database: job.database, job.clickHouse)
        let expected = found.expected(golden, table)
        let differences = rowDifferences(found.rows.map { $0.without(added + removed) }, expected: expected.map { $0.without(removed) })
        #expect(differences.isEmpty, "\(what), \(table.name):\n\(differences.joined(separator: "\n"))")
        #expect(try job.provenanceProblems(table.name) == [], "\(what)")
        if isAddedTo { try checkAddedColumns(of: found.rows, what) }
        if !removed.isEmpty { checkRemovedColumn(of: found.rows, expected, what) }
    }

    /// Rows of the next version have the values, those of the other the defaults; each version has made some.
    private func checkAddedColumns(of rows: [GoldenRow], _ what: String) throws {
        var rowsOfVersions = (first: 0, next: 0)
        for row in rows {
            let (least, greatest, spread) = (try row.number("minAmount"), try row.number("maxAmount"), try row.number("amountSpread"))
            let (large, count) = (try row.number("largeCount"), try row.number("transactionCount"))
            if spread != 0 && abs(spread - (greatest - least)) > 0.001 || large > count { Issue.record("\(what): \(row.columns)") }
            if spread > 0 { rowsOfVersions.next += 1 } else if least < greatest { rowsOfVersions.first += 1 }
        }
        #expect(rowsOfVersions.first > 0 && rowsOfVersions.next > 0, "\(what): \(rowsOfVersions)")
    }

    /// Rows of the repository's version have the golden value, those of the next one the default.
    private func checkRemovedColumn(of rows: [GoldenRow], _ golden: [GoldenRow], _ what: String) {
        let isHeld: (GoldenRow) -> Bool = { $0.columns[NextBankVersion.removed.column] != .number(0) }
        let (held, whole) = (rows.filter(isHeld), golden.filter(isHeld))
        #expect(Set(held).isSubset(of: whole), "\(what)")
        #expect(!held.isEmpty && held.count < whole.count, "\(what): \(held.count) of \(whole.count)")
    }
}

extension GoldenRow {
    fileprivate func without(_ names: [String]) -> GoldenRow {
        names.isEmpty ? self : GoldenRow(columns: columns.filter { !names.contains($0.key) })
    }

    fileprivate func number(_ column: String) throws -> Double {
        switch columns[column] {
        case .number(let number): number
        case .text(let amount): try #require(Double(amount))
        default: try #require(nil, "\(column) of \(columns)")
        }
    }
}

/// The basic golden case, of which each run of a version finds a part more, before a ClickHouse that is cut off from each at its
/// first INSERT: that one lands unheard, and everything else waits.
private final class CutOffJob {
    let fixture: JobFixture
    private let log: TemporaryDirectory
    private let proxy: FaultProxy
    private let parts: Int
    private var partsThere = 0
    private let transactions: [[UInt8]]

    init(_ clickHouse: any TestClickHouse, parts: Int) throws {
        log = try TemporaryDirectory("tidemark-golden")
        proxy = try FaultProxy(to: clickHouse.port)
        self.parts = parts
        let settings = [
            "clickhouse.resolveDelay=200ms", "clickhouse.flushInterval=100ms", "epoch.interval=50ms", "drain.timeout=300ms",
            "time.idleAfter=1h",
        ]
        fixture = try JobFixture(.directory(log.path), clickHouse, url: proxy.url, settings: settings)
        // Sessions are looked up, too, so they are whole from the start.
        try GoldenCase.basic.layOutInput(in: log.path)
        transactions = try GoldenCase.basic.input(GoldenCase.streams[0])[0]
        try Data().write(to: URL(fileURLWithPath: transactionsFile))
    }

    private var transactionsFile: String { log.file("\(GoldenCase.streams[0]).jsonl") }

    /// Lets a version read the next part, and ends it.
    func run(_ binary: String, endingWith ending: WaitingRowsHandOverTests.Ending) throws {
        try addPart()
        proxy.cutOff(with: .dropAnswer)
        let worker = try fixture.start(of: binary)
        let page = try statusPage(of: worker)
        var epochBefore: UInt64?
        try waitUntil("all is read, and rows wait") { [proxy] in
            let status = try self.status(of: worker, page)
            guard proxy.isCutOff, self.hasReadAll(status),
                status.tables.contains(where: { $0.frozenBatches > 0 && $0.frozenRows + $0.pendingRows > 1 })
            else { return false }
            // What is shown may still have to be committed, with the epoch after the one that is shown.
            epochBefore = epochBefore ?? status.epoch
            return status.epoch > epochBefore ?? .max
        }
        switch ending {
        case .kill:
            worker.send(SIGKILL)
            try #require(worker.waitForExit() == -SIGKILL, "\(worker.errors)")
        case .drainThatLeavesRows:
            worker.send(SIGTERM)
            try #require(worker.waitForExit() == 3, "\(worker.errors)")
        case .cleanDrain:
            proxy.letThrough()
            try waitUntil("nothing waits") { try self.status(of: worker, page).tables.allSatisfy { $0.pendingRows + $0.frozenRows == 0 } }
            worker.send(SIGTERM)
            try #require(worker.waitForExit() == 0, "\(worker.errors)")
        }
        proxy.letThrough()
    }

    /// Lets a version read the rest to its end.
    func finish(_ binary: String) throws {
        try addPart()
        let finished = try fixture.run("run", ["--until-end"], of: binary)
        #expect(partsThere == parts && finished.status == 0, "\(finished.errors)")
    }

    private func addPart() throws {
        let part = transactions[(transactions.count * partsThere / parts)..<(transactions.count * (partsThere + 1) / parts)]
        partsThere += 1
        // In place: a file that is read must stay the one that it was.
        let file = try #require(FileHandle(forWritingAtPath: transactionsFile))
        try file.seekToEnd()
        try file.write(contentsOf: Data(part.flatMap { $0 + [UInt8(ascii: "\n")] }))
        try file.close()
    }

    private func status(of worker: ChildProcess, _ page: String) throws -> StatusSnapshot {
        try #require(worker.isRunning, "the worker ended by itself: \(worker.errors)")
        let answer = try HTTPClient().perform(HTTPRequest(.get, url: page + "status"))
        return try JSONDecoder().decode(StatusSnapshot.self, from: Data(answer.text.utf8))
    }

    private func hasReadAll(_ status: StatusSnapshot) -> Bool {
        let read = status.partitions.first { $0.topic == GoldenCase.streams[0] }?.nextOffset
        return read == Int64(transactions.count * partsThere / parts) && status.partitions.allSatisfy { ($0.lag ?? 0) == 0 }
    }
}
