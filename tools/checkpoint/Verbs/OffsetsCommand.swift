import ArgumentParser
import CommandLineParts
import Engine
import SQLiteState

/// `checkpoint offsets`
struct OffsetsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offsets", abstract: "Shows how far each task has read, and its watermark.",
        discussion: "--lag adds how far the last record and the watermark lie behind the time of the checkpoint."
    )

    @Argument(help: ArgumentHelp("The checkpoint.", valueName: "ref"))
    var reference = "latest"

    @Flag(help: "Show how far each task was behind.")
    var lag = false

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func run() throws {
        let checkpoint = try source.open(reference)
        let reader = checkpoint.reader
        let report = Report("offsets", output)
        report.fact("checkpoint", .text(checkpoint.name))
        report.fact("epoch", .count(reader.facts.epoch.number))
        report.fact("committedAt", .time(milliseconds: reader.facts.committedAt))
        let columns = ["stage", "partition", "next", "lastOffset", "lastTimestamp", "watermark"] + (lag ? ["recordLagMs", "watermarkLagMs"] : [])
        report.section("tasks", columns.map { ReportColumn($0) })
        for task in reader.tasks {
            let last = task.position?.last
            // Directories of files give their records no time.
            let timestamp = last.flatMap { $0.timestamp == .min ? nil : $0.timestamp }
            var cells: [Cell] = [
                .text(task.id.stage.text), .count(task.id.partition), .optional(task.position?.next), .optional(last?.offset),
                .time(milliseconds: timestamp), .time(task.watermark),
            ]
            if lag { cells += [behind(timestamp, reader), behind(task.watermark?.milliseconds, reader)] }
            report.row(cells)
        }
        report.finish()
    }

    private func behind(_ time: Int64?, _ reader: StateReader) -> Cell {
        guard let time, let at = reader.facts.committedAt, time != .min, time != .max else { return .none }
        return .count(at - time)
    }
}
