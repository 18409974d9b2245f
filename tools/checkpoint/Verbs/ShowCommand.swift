import ArgumentParser
import CheckpointStores
import Engine
import SQLiteState

/// `checkpoint show`
struct ShowCommand: CheckpointVerb {
    static let configuration = verb("show", abstract: "Says what a checkpoint holds.")

    @OptionGroup var words: CheckpointWords<ShowCommand>

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func run() throws {
        let checkpoint = try source.open(reference)
        let reader = checkpoint.reader
        let report = Report("show", output, hasSections: true)
        report.fact("checkpoint", .text(checkpoint.name))
        report.fact("job", .text(reader.facts.job))
        report.fact("jobVersion", .count(reader.facts.jobVersion))
        report.fact("identity", .text(reader.facts.identity))
        // States of earlier builds have none.
        if reader.facts.hasHashKey { report.fact("hashKey", .flag(true)) }
        report.fact("lineage", .count(reader.facts.lineage.number))
        report.fact("epoch", .count(reader.facts.epoch.number))
        report.fact("committedAt", .time(milliseconds: reader.facts.committedAt))
        report.fact("format", .count(reader.facts.format))
        if let manifest = checkpoint.manifest {
            report.fact("createdAt", .time(milliseconds: manifest.createdAt))
            report.fact("reason", .text(manifest.reason.rawValue))
            report.fact("writer", .text(manifest.writer))
            report.fact("parent", .optional(manifest.parent?.number.number))
        }
        report.fact("tasks", .count(reader.tasks.count))
        report.fact("unfoldedBytes", .bytes(try reader.uncompactedBytes()))
        let messages = try reader.waitingMessages()
        report.fact("messageBatches", .count(messages.count))
        report.fact("messageBytes", .bytes(messages.bytes))
        if let manifest = checkpoint.manifest { objects(manifest, report) }
        partitions(reader, report)
        try skipped(reader, report)
        tables(reader, report)
        try outputTables(reader, report)
        try outputLayouts(reader, report)
        report.finish()
    }

    private func objects(_ manifest: Manifest, _ report: Report) {
        report.section("objects", ["kind", "fromEpoch", "epoch", "bytes", "key"].map { ReportColumn($0) })
        for object in manifest.objects {
            let (kind, from): (String, Cell) =
                switch object.kind {
                case .base: ("base", .none)
                case .delta(let after): ("delta", .count(after.number))
                }
            report.row([.text(kind), from, .count(object.epoch.number), .bytes(object.digest.bytes), .text(object.key)])
        }
    }

    private func partitions(_ reader: StateReader, _ report: Report) {
        report.section("partitions", [ReportColumn("name"), ReportColumn("count")])
        for (name, count) in reader.partitions.sorted(by: { $0.key < $1.key }) { report.row([.text(name), .count(count)]) }
    }

    /// What operators had passed over.
    private func skipped(_ reader: StateReader, _ report: Report) throws {
        let all = try reader.skippedRecords()
        guard !all.isEmpty else { return }
        report.section("skipped", ["topic", "partition", "first", "last", "at", "reason"].map { ReportColumn($0) })
        for skipped in all {
            report.row([
                .text(skipped.partition.topic), .count(skipped.partition.partition), .count(skipped.first), .count(skipped.last),
                .time(milliseconds: skipped.at.milliseconds), .text(skipped.reason),
            ])
        }
    }

    private func tables(_ reader: StateReader, _ report: Report) {
        report.section(
            "stateTables", ["stage", "table", "version", "role", "since", "key", "timers", "windowMs", "fields"].map { ReportColumn($0) })
        for table in reader.storedTables {
            let fields = table.schema.fields.map { "\(quotedJSON($0.name)):\(quotedJSON($0.type.rawValue))" }.joined(separator: ",")
            report.row([
                .text(table.stage.text), .text(table.schema.table), .count(table.schema.version), .text(table.role.rawValue),
                .count(table.since),
                .text(table.schema.key.rawValue), .flag(table.schema.hasTimer), .optional(table.schema.span?.milliseconds),
                .json("{\(fields)}"),
            ])
        }
    }

    private func outputTables(_ reader: StateReader, _ report: Report) throws {
        report.section("outputTables", ["table", "lastFrozen", "lastDelivered", "waitingRows", "waitingBytes"].map { ReportColumn($0) })
        let waiting = try reader.waitingRows()
        for table in try reader.checkpointFacts().tables {
            report.row([
                .text(table.name), .optional(table.lastFrozen?.number), .optional(table.lastDelivered?.number),
                .count(waiting[table.name]?.rows ?? 0),
                .bytes(waiting[table.name]?.bytes ?? 0),
            ])
        }
    }

    /// What rows that wait were written for: the tables as the job's versions declared them. States of earlier formats don't say.
    private func outputLayouts(_ reader: StateReader, _ report: Report) throws {
        guard !reader.outputLayouts.isEmpty else { return }
        report.section("outputLayouts", ["table", "since", "waitingRows", "columns"].map { ReportColumn($0) })
        let waiting = try reader.waitingRowsByLayout()
        for layout in reader.outputLayouts {
            let columns = layout.table.columns.map { "\(quotedJSON($0.name)):\(quotedJSON($0.type.rawValue))" }.joined(separator: ",")
            report.row([.text(layout.table.name), .count(layout.jobVersion), .count(waiting[layout.table] ?? 0), .json("{\(columns)}")])
        }
    }
}
