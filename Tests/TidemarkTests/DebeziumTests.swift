import Foundation
import TestSupport
import Testing

@Suite("Debezium for real: the tables are what SQL says of the database")
struct DebeziumTests {
    private static let partitions = 4
    private static let streams = ["transactions", "customer_sessions"]
    private static let references = ["customers", "accounts", "merchants"]
    /// Of so many records of each connector the process that is killed has kept the offsets: of the snapshot and the first of what follows.
    private static let keptOffsets = 260

    /// PostgreSQL and three connectors, all from docs/DEBEZIUM.md: the one that the page shows, with envelopes and schemas, keyed by
    /// customer; the same with Confluent's converters to Avro; and the one with flat rows, with Debezium's own keys. They begin with a snapshot, follow a day of inserts, updates, deletes,
    /// changed keys and added columns, are killed in the middle of it, lie dead for a night, and go on from offsets that are behind.
    @Test(.timeLimit(.minutes(5)))
    func theTablesOfEveryConnectorAreWhatTheDatabaseSays() throws {
        let clickHouse = try ClickHouseServer()
        let database = try PostgreSQLServer()
        let page = try DebeziumPage()
        for script in ["schema", "opening"] { try database.runFile(bank(script)) }
        try database.run(page.databaseSQL)

        let shown = page.connector.merging(connection(to: database)) { $1 }
        var flat = shown.merging(page.flatRows) { $1 }
        flat["message.key.columns"] = nil
        flat.merge(["name": "flat", "topic.prefix": "flat", "slot.name": "flat"]) { $1 }
        let schemas = try TemporaryDirectory("tidemark-registry")
        let registry = try SchemaRegistryServer(file: schemas.file("schemas"))
        let shownRegistry = "http://registry.example.com:8081"
        var avro = shown.merging(page.avro.mapValues { $0 == shownRegistry ? registry.url : $0 }) { $1 }
        avro.merge(["name": "avro", "topic.prefix": "avro", "slot.name": "avro"]) { $1 }
        let connectors = [shown, flat, avro]
        let prefixes = connectors.map { $0["topic.prefix"]! }
        let broker = try DevelopmentBrokerProcess(topics: prefixes.flatMap { topics(prefix: $0) })

        let engine = try DebeziumEngine(brokers: broker.brokers, connectors: connectors)
        let written = try run(engine, database, prefixes: prefixes)
        for prefix in prefixes {
            let payments = written.map { $0.filter { $0.topic == "\(prefix).public.transactions" && $0.bytes > 0 } }
            let again = Set(payments[0]).intersection(payments[1]).count
            #expect(again > 0, "\(prefix): nothing came again after the crash")
            let all = payments.joined()
            print(
                "Debezium, \(prefix): \(all.count) changes of transactions, \(again) of them again, of \(all.reduce(0) { $0 + $1.bytes } / all.count) bytes each"
            )
        }
        let truncations = written.joined().filter { $0.topic.hasSuffix(".public.merchants") && $0.key.isEmpty }
        #expect(
            Set(truncations.map(\.topic)) == ["fintech.public.merchants", "avro.public.merchants"],
            "the records of TRUNCATE, which have no key")

        try check(page.jobSettings, of: broker, against: database, clickHouse)
        let ofAvro =
            page.jobSettings.filter { !$0.hasPrefix("input.topicPrefix=") }
            + page.avroJobSettings.map { $0.replacing(shownRegistry, with: registry.url) }
        try check(ofAvro + ["input.topicPrefix=avro.public."], of: broker, against: database, clickHouse)
        // In the flat topic, which has none, the shop that was not opened again stays as it was.
        let closedShop = try database.rows("SELECT bank.id('merchant', 3)")[0][0]
        var keyedByID = page.jobSettings.filter { !$0.hasPrefix("input.topicPrefix=") && !$0.hasPrefix("input.keyedBy=") }
        keyedByID += ["input.topicPrefix=flat.public.", "input.keyedBy=id"]
        try check(keyedByID, of: broker, against: database, clickHouse, withoutRowsOf: closedShop)
    }

    /// Runs the connectors through the day, the crash and the night; what each of the two processes wrote.
    private func run(_ engine: DebeziumEngine, _ database: PostgreSQLServer, prefixes: [String]) throws -> [[DebeziumEngine.Written]] {
        let first = try engine.start(keepingOffsetsOf: Self.keptOffsets)
        // The publication and the slots hold everything from here on: what happens now is streamed, not part of the snapshot.
        try waitFor(first, "the snapshot is written") { written in
            prefixes.allSatisfy { prefix in
                written.count { $0.topic == "\(prefix).public.transactions" } >= 150
                    && written.count { $0.topic == "\(prefix).public.merchants" } >= 5
            }
        }
        try database.runFile(bank("day"))
        try waitFor(first, "both are in the middle of the day") { written in
            prefixes.allSatisfy { prefix in written.count { $0.topic.hasPrefix("\(prefix).public.") } > Self.keptOffsets + 100 }
        }
        first.send(SIGKILL)
        first.waitForExit()
        try database.runFile(bank("night"))

        let second = try engine.start()
        let last = try database.rows("SELECT bank.id('last', 0)")[0][0]
        try waitFor(second, "the last row is written") { written in
            prefixes.allSatisfy { prefix in written.contains { $0.topic == "\(prefix).public.customers" && $0.key.contains(last) } }
        }
        return [first, second].map(DebeziumEngine.written(by:))
    }

    private func waitFor(_ engine: ChildProcess, _ what: String, _ condition: ([DebeziumEngine.Written]) -> Bool) throws {
        do {
            try waitUntil(what, within: 60) { !engine.isRunning || condition(DebeziumEngine.written(by: engine)) }
            guard !engine.isRunning else { return }
            throw WaitedTooLong(description: "the engine ended")
        } catch let error as WaitedTooLong {
            throw WaitedTooLong(description: "\(error.description): \(engine.errors.suffix(4000))")
        }
    }

    /// Has the topics checked, counts them into ClickHouse and compares each table with its query over the database's own history.
    ///
    /// - Parameter merchant: one whose rows may differ.
    private func check(
        _ settings: [String], of broker: DevelopmentBrokerProcess, against database: PostgreSQLServer, _ clickHouse: ClickHouseServer,
        withoutRowsOf merchant: String = "nobody"
    ) throws {
        let job = try JobFixture(.kafka(broker.brokers), clickHouse, settings: settings + ["input.operations=records"])
        let checked = try job.run("check")
        #expect(checked.status == 0, "\(settings): \(checked.output)\(checked.errors)")
        let run = try job.runUntilEnd()
        #expect(run.status == 0, "\(settings): \(run.errors)")
        for comparison in Self.comparisons {
            let query = try String(contentsOfFile: bank(comparison.table), encoding: .utf8)
            let columns = comparison.columns.joined(separator: ", ")
            let expected = try Self.lines(database.rows(query), without: merchant)
            let found = try Self.lines(clickHouse.rows("SELECT \(columns) FROM \(job.database).\(comparison.table)"), without: merchant)
            let missing = Set(expected).subtracting(found).sorted()
            let unexpected = Set(found).subtracting(expected).sorted()
            #expect(
                expected.count > 20 && found.count == expected.count && missing.isEmpty && unexpected.isEmpty,
                """
                \(settings), \(comparison.table): \(found.count) rows, \(expected.count) are right
                missing \(missing.count), such as: \(missing.prefix(3))
                unexpected \(unexpected.count), such as: \(unexpected.prefix(3))
                """)
        }
        let rejected = try clickHouse.rows("SELECT topic, reason, count() FROM \(job.database).rejected_records GROUP BY topic, reason")
        #expect(rejected == [], "\(settings)")
    }

    private static func lines(_ rows: [[String]], without key: String) -> [String] {
        rows.filter { $0[0] != key }.map { $0.joined(separator: " ") }
    }

    private struct Comparison {
        let table: String
        /// As ClickHouse has them, in the order of the query of the same name in `Bank`.
        let columns: [String]
    }

    private static let comparisons = [
        Comparison(
            table: "customer_transaction_metrics",
            columns: [
                "customerId", "toUnixTimestamp(windowEnd)", "transactionCount", "toString(totalAmount)", "toString(minAmount)",
                "toString(maxAmount)",
                "toString(totalFees)", "completedCount", "failedCount", "pendingCount", "uniqueMerchants",
                "toInt64(round(averageRiskScore * transactionCount * 100))",
            ]),
        Comparison(
            table: "customer_session_metrics",
            columns: [
                "customerId", "toUnixTimestamp(windowEnd)", "sessionCount", "totalActions", "toUnixTimestamp(firstStartedAt)",
                "toUnixTimestamp(lastStartedAt)", "latestSessionId",
            ]),
        Comparison(
            table: "merchant_performance_analytics",
            columns: [
                "merchantId", "toUnixTimestamp(windowEnd)", "transactionCount", "toString(totalAmount)", "toString(minAmount)",
                "toString(maxAmount)",
                "completedCount", "failedCount", "uniqueCustomers", "merchantName", "businessType", "country", "isActive",
            ]),
    ]

    private func connection(to database: PostgreSQLServer) -> [String: String] {
        [
            "database.hostname": "127.0.0.1", "database.port": "\(database.port)", "database.dbname": "postgres",
            "database.password": "none is asked for",
        ]
    }

    private func topics(prefix: String) -> [String] {
        Self.streams.map { "\(prefix).public.\($0):\(Self.partitions)" } + Self.references.map { "\(prefix).public.\($0):1" }
    }

    private func bank(_ script: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Bank/\(script).sql").path
    }
}
