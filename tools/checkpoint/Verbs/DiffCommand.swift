import ArgumentParser
import CommandLineParts
import Engine
import SQLiteState

/// `checkpoint diff`
struct DiffCommand: CheckpointVerb {
    static let configuration = verb(
        "diff", abstract: "Compares what two checkpoints hold, key by key.",
        discussion: "Schemas, offsets and records count, epochs and delivery don't. Ends with 0 when nothing differs, else with 2."
    )

    static let operands = [VerbOperand(name: "other", help: "the checkpoint to compare it with")]
    static let defaultReference: String? = nil

    @OptionGroup var words: CheckpointWords<DiffCommand>

    @Flag(help: "Count the differences of each table instead of listing them.")
    var summary = false

    @Option(help: "At most this many differences of each table are listed; 0 for all.")
    var limit = 100

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard limit >= 0 else { throw ValidationError("--limit: expected a number from 0, found \(limit)") }
    }

    func run() throws {
        let (first, second) = (reference, operand(0))
        let (before, after) = (try source.open(first), try source.open(second))
        guard before.reader.facts.job == after.reader.facts.job else {
            throw ToolError(
                .invalid,
                "\(first) is of job \(before.reader.facts.job), \(second) of job \(after.reader.facts.job); compare checkpoints of one job")
        }
        let report = Report("diff", output, hasSections: true)
        report.fact("a", .text(before.name))
        report.fact("b", .text(after.name))
        var total = positions(before.reader, after.reader, report)
        var counts: [(table: String, count: DifferenceCount)] = []
        if !summary { report.section("records", ["table", "change", "partition", "window", "key", "fields"].map { ReportColumn($0) }) }
        for name in Set((before.reader.tables + after.reader.tables).map(\.fullName)).sorted() {
            let comparison = try TableComparison(before.reader, after.reader, name)
            try comparison.run { difference in
                guard !summary, limit == 0 || comparison.count.total <= limit else { return }
                report.row([
                    .text(name), .text(difference.change.rawValue), .count(difference.partition), .time(difference.window),
                    .text(difference.key),
                    difference.fields.map { .json($0) } ?? .none,
                ])
            }
            counts.append((name, comparison.count))
            total += comparison.count.total + (comparison.count.schema == nil ? 0 : 1)
        }
        report.section("summary", ["table", "added", "removed", "changed", "same", "schema"].map { ReportColumn($0) })
        for (table, count) in counts {
            report.row([
                .text(table), .count(count.added), .count(count.removed), .count(count.changed), .count(count.same),
                count.schema.map { .text($0) } ?? .none,
            ])
        }
        report.finish()
        if total > 0 { throw ExitCode(ExitStatus.differs.rawValue) }
    }

    /// How far each task had read; returns how many differ.
    private func positions(_ before: StateReader, _ after: StateReader, _ report: Report) -> Int {
        report.section("offsets", ["stage", "partition", "a", "b"].map { ReportColumn($0) })
        let old = Dictionary(uniqueKeysWithValues: before.tasks.map { ($0.id, $0.position?.next) })
        let new = Dictionary(uniqueKeysWithValues: after.tasks.map { ($0.id, $0.position?.next) })
        let changed = Set(old.keys).union(new.keys).sorted().filter { (old[$0] ?? nil) != (new[$0] ?? nil) }
        for task in changed {
            report.row([.text(task.stage.text), .count(task.partition), .optional(old[task] ?? nil), .optional(new[task] ?? nil)])
        }
        return changed.count
    }
}
