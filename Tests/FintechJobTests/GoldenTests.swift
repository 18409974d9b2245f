import Engine
import FintechJob
import Simulation
import TestSupport
import Testing

@Suite("The job's tables hold exactly the golden rows")
struct GoldenTests {
    private static func settings(_ golden: GoldenCase) -> FintechSettings {
        var settings = FintechSettings.ofInserts
        if golden.name == GoldenCase.rules.name { settings.alertThreshold = 0 }
        return settings
    }

    private func check(
        _ run: TopologyRun, _ topology: Topology, against golden: GoldenCase, _ tables: [String], leavingOut column: String? = nil
    ) throws {
        for table in topology.tables where tables.contains(table.name) {
            func shown(_ row: GoldenRow) -> GoldenRow {
                var row = row
                if let column { row.columns[column] = nil }
                return row
            }
            let actual = try GoldenRow.rows(of: table, in: run.chunks).map { shown(try $0.shownInGolden()) }
            let differences = rowDifferences(actual, expected: try golden.expectedRows(of: table.name).map(shown))
            #expect(differences.isEmpty, "\(golden), \(table.name):\n\(differences.joined(separator: "\n"))")
        }
    }

    private static let tables = [
        "rejected_records", "customer_transaction_metrics", "fraud_detection_alerts", "customer_lifecycle_analytics",
        "customer_session_metrics",
        "merchant_performance_analytics",
    ]

    @Test(arguments: GoldenCase.all)
    func everyTableHoldsTheGoldenRows(of golden: GoldenCase) throws {
        let topology = FintechJob.topology(settings: GoldenTests.settings(golden))
        let run = TopologyRun(topology)
        try run.run { try golden.input($0) }
        #expect(topology.tables.map(\.name) == GoldenTests.tables)
        try check(run, topology, against: golden, GoldenTests.tables)
    }

    /// Also what is late and when customers are lost: an event knows how far its partition was.
    @Test(arguments: [GoldenCase.basic, .rules, .edge])
    func rekeyedFromOnePartitionTheyHoldThemToo(golden: GoldenCase) throws {
        var settings = GoldenTests.settings(golden)
        settings.keyedBy = .id
        let topology = FintechJob.topology(settings: settings)
        let run = TopologyRun(topology)
        try run.run { try golden.input($0) }
        #expect(Set(topology.tables.map(\.name)) == Set(GoldenTests.tables))
        try check(run, topology, against: golden, GoldenTests.tables)
    }

    /// Of customers in many partitions the order is lost, but nothing is late (nor is it in the golden case), and sums don't
    /// go by order.
    @Test(arguments: [2, 8, 16])
    func rekeyedFromManyPartitionsSumsAreTheGoldenOnes(partitions: Int) throws {
        let golden = GoldenCase.basic
        var settings = GoldenTests.settings(golden)
        settings.keyedBy = .id
        let topology = FintechJob.topology(settings: settings)
        let run = TopologyRun(topology)
        try run.run { topic in
            topic == GoldenCase.streams[0] ? GoldenTests.spread(try golden.input(topic)[0], over: partitions) : try golden.input(topic)
        }
        try check(run, topology, against: golden, ["customer_transaction_metrics", "merchant_performance_analytics", "rejected_records"])
        let lifecycle = try #require(topology.tables.first { $0.name == "customer_lifecycle_analytics" })
        let first = try GoldenRow.rows(of: lifecycle, in: run.chunks).filter { $0.columns["eventType"] == .text("FIRST_TRANSACTION") }
        #expect(first.count == 80, "each customer once")
    }

    private static func spread(_ values: [[UInt8]], over partitions: Int) -> [[[UInt8]]] {
        var parts = Array(repeating: [[UInt8]](), count: partitions)
        for value in values { parts[value.withUnsafeBytes { murmur2Partition(of: ByteView($0), partitions: partitions) }].append(value) }
        return parts
    }

    @Test(arguments: [GoldenCase.basic, .basicInEightPartitions, .rules], [FintechSettings.Keying.customerID, .id])
    func aTenthOfTheTransactionsComesTwice(golden: GoldenCase, keyedBy: FintechSettings.Keying) throws {
        guard golden.partitions == 1 || keyedBy == .customerID else { return }
        var settings = GoldenTests.settings(golden)
        settings.keyedBy = keyedBy
        // The golden cases reach over weeks, and copies come anywhere after what they are copies of.
        settings.deduplicationHorizon = .days(400)
        let topology = FintechJob.topology(settings: settings)
        let run = TopologyRun(topology)
        var copies = 0
        try run.run { topic in
            guard topic == GoldenCase.streams[0] else { return try golden.input(topic) }
            return try golden.input(topic).enumerated().map { GoldenTests.doubled($1, seed: UInt64($0), &copies) }
        }
        let dropped = run.counters.filter { $0.key.stage == "transactions" }.values.reduce(0) { $0 + ($1.skipped["duplicate"] ?? 0) }
        #expect(dropped == copies && copies > 80)
        // Copies take offsets as well. One of the rules' sessions has the id of another.
        let tables = GoldenTests.tables.filter { golden.name != GoldenCase.rules.name || $0 != "customer_session_metrics" }
        try check(run, topology, against: golden, tables, leavingOut: "offset")
    }

    /// Puts copies of a tenth of the transactions anywhere behind them; what is no transaction has no id to be known by.
    private static func doubled(_ values: [[UInt8]], seed: UInt64, _ copies: inout Int) -> [[UInt8]] {
        var random = SeededRandom(seed: seed)
        var all = values.enumerated().map { (place: Double($0), value: $1) }
        for (offset, value) in values.enumerated() where random.percent(10) {
            guard case .event = DecoderOutcome.transaction(value) else { continue }
            all.append((Double(random.number(in: offset...values.count)) + 0.5, value))
            copies += 1
        }
        return all.sorted { $0.place < $1.place }.map(\.value)
    }
}
