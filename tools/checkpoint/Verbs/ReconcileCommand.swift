import ArgumentParser
import ClickHouseSink
import CommandLineParts
import Engine
import Foundation
import SQLiteState

/// `checkpoint reconcile`
struct ReconcileCommand: CheckpointVerb {
    static let configuration = verb(
        "reconcile", abstract: "Compares ClickHouse's rows with what a checkpoint says was delivered, batch by batch.",
        discussion: """
            The server comes from --config, or from --clickhouse, with the password in the variable CLICKHOUSE_PASSWORD. Batches \
            that the checkpoint no longer remembers, and those after it, are counted and not judged. Ends with 2 when rows of a \
            delivered batch are missing or too many. It only reads, on both sides.
            """
    )

    @OptionGroup var words: CheckpointWords<ReconcileCommand>

    @Option(name: .customLong("clickhouse"), help: ArgumentHelp("The server, instead of the configuration's.", valueName: "url"))
    var url: String?

    @Option(help: "The tables' database, with --clickhouse.")
    var database = "default"

    @Option(help: "The user, with --clickhouse.")
    var user = "default"

    @Option(help: "At most this many batches that differ are listed; 0 for all.")
    var limit = 100

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if url == nil && source.storeOptions.config == nil { throw ValidationError("name the server: --config FILE, or --clickhouse URL") }
        guard limit >= 0 else { throw ValidationError("--limit: expected a number from 0, found \(limit)") }
    }

    func run() throws {
        let checkpoint = try source.open(reference)
        let server = try DeliveredRows(try settings(job: checkpoint.reader.facts.job))
        // Rows for other sinks, such as Kafka, are none of ClickHouse's.
        let tables = checkpoint.reader.outputTables.filter { OutboxTable.sink(ofName: $0) == nil }
        let comparisons = try tables.map { try DeliveryComparison(checkpoint.reader, $0, found: try server.batches(of: $0)) }
        let report = Report("reconcile", output, hasSections: true)
        report.fact("checkpoint", .text(checkpoint.name))
        report.fact("lineage", .count(checkpoint.reader.facts.lineage.number))
        report.section(
            "tables",
            ["table", "lineage", "batches", "rows", "missingRows", "surplusRows", "undeliveredBatches", "forgottenRows", "laterRows"].map {
                ReportColumn($0)
            })
        for comparison in comparisons {
            for (lineage, sum) in comparison.sums.sorted(by: { $0.key < $1.key }) {
                report.row([
                    .text(comparison.table), .count(lineage.number), .count(sum.batches), .count(sum.rows), .count(sum.missing),
                    .count(sum.surplus),
                    .count(sum.undelivered), .count(sum.forgotten), .count(sum.later),
                ])
            }
        }
        report.section("differences", ["table", "lineage", "batch", "expected", "found"].map { ReportColumn($0) })
        let differences = comparisons.flatMap(\.differences)
        for difference in limit == 0 ? differences[...] : differences.prefix(limit) {
            report.row([
                .text(difference.table), .count(difference.lineage.number), .count(difference.batch.number), .count(difference.expected),
                .count(difference.found),
            ])
        }
        report.finish()
        if !differences.isEmpty { throw ExitCode(ExitStatus.differs.rawValue) }
    }

    private func settings(job: String) throws -> ClickHouseSettings {
        if let url {
            var settings = ClickHouseSettings(url: url, job: job)
            (settings.database, settings.user) = (database, user)
            settings.password = ProcessInfo.processInfo.environment["CLICKHOUSE_PASSWORD"] ?? ""
            return settings
        }
        guard let section = try source.storeOptions.configuration()?.clickHouse else { throw ToolError(.invalid, "no ClickHouse is named") }
        var settings = ClickHouseSettings(url: section.url, job: job)
        (settings.database, settings.user, settings.password) = (section.database, section.user, section.password.revealed)
        return settings
    }
}
