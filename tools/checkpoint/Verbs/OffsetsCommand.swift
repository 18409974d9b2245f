import ArgumentParser
import CommandLineParts
import Engine
import SQLiteState

/// `checkpoint offsets`
struct OffsetsCommand: CheckpointVerb {
    static let configuration = verb(
        "offsets", abstract: "Shows how far each task has read, and its watermark.",
        discussion: """
            --lag asks the input how far its logs go and adds, for each partition and in sum, the offsets from the one to be read \
            next to the log's end; and how far the last record and the watermark lie behind the time of the checkpoint. The input \
            comes from --config, or from --brokers. Ends with 2 when the job could not read on from here: records were removed \
            before they were read (lost), a log ends before what was read (beyond), a partition is gone (absent) or has come \
            (added). Ends with 3 when somebody did not answer within --timeout.
            """
    )

    @OptionGroup var words: CheckpointWords<OffsetsCommand>

    @Flag(help: "Show how far each task was behind, and is behind its log now.")
    var lag = false

    @OptionGroup var input: InputOptions
    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard lag else {
            if input.brokers != nil || !input.topics.isEmpty { throw ValidationError("--brokers and --topic go with --lag") }
            return
        }
        if input.brokers == nil && source.storeOptions.config == nil {
            throw ValidationError(
                "--lag asks the input how far it goes: name it with --config FILE, the job's configuration, or --brokers LIST")
        }
    }

    func run() throws {
        let checkpoint = try source.open(reference)
        let reader = checkpoint.reader
        let logs = lag ? try input.logs(try source.storeOptions.configuration()) : nil
        let lags = try logs.map { try LogLag.all(reader, reading: try topics(reader), $0, within: input.limit) } ?? []
        let report = Report("offsets", output)
        report.fact("checkpoint", .text(checkpoint.name))
        report.fact("epoch", .count(reader.facts.epoch.number))
        report.fact("committedAt", .time(milliseconds: reader.facts.committedAt))
        if let logs {
            report.fact("input", .text(logs.name))
            report.fact("lag", .count(lags.compactMap(\.lag).reduce(0, +)))
        }
        show(reader, lags, report)
        report.finish()
        if lags.contains(where: \.standing.isRefused) { throw ExitCode(ExitStatus.differs.rawValue) }
        if lags.contains(where: { $0.standing == .unanswered }) { throw ExitCode(ExitStatus.partial.rawValue) }
    }

    private func show(_ reader: StateReader, _ lags: [LogLag], _ report: Report) {
        let further = lag ? ["recordLagMs", "watermarkLagMs", "topic", "logStart", "logEnd", "lag", "standing"] : []
        report.section(
            "tasks", (["stage", "partition", "next", "lastOffset", "lastTimestamp", "watermark"] + further).map { ReportColumn($0) })
        let tasks = Dictionary(uniqueKeysWithValues: reader.tasks.map { ($0.id, $0) })
        let found = Dictionary(uniqueKeysWithValues: lags.map { ($0.task, $0) })
        for id in Set(tasks.keys).union(found.keys).sorted() {
            let task = tasks[id]
            let last = task?.position?.last
            // Directories of files give their records no time.
            let timestamp = last.flatMap { $0.timestamp == .min ? nil : $0.timestamp }
            var cells: [Cell] = [
                .text(id.stage.text), .count(id.partition), .optional(task?.position?.next), .optional(last?.offset),
                .time(milliseconds: timestamp), .watermark(task?.watermark),
            ]
            if lag { cells += [behind(timestamp, reader), behind(task?.watermark?.milliseconds, reader)] + log(found[id]) }
            report.row(cells)
        }
    }

    private func behind(_ time: Int64?, _ reader: StateReader) -> Cell {
        guard let time, let at = reader.facts.committedAt, time != .min, time != .max else { return .none }
        return .count(at - time)
    }

    private func log(_ found: LogLag?) -> [Cell] {
        guard let found else { return [.none, .none, .none, .none, .none] }
        return [.text(found.topic), .optional(found.start), .optional(found.end), .optional(found.lag), .text(found.standing.rawValue)]
    }

    /// Which topic each stage reads, as the user says or else the checkpoint.
    private func topics(_ reader: StateReader) throws -> [StageName: String] {
        let stages = Set(reader.tasks.map(\.id.stage))
        let reading = Set(reader.tasks.filter { $0.position != nil }.map(\.id.stage))
        let said = input.topicsByStage
        if let odd = said.keys.filter({ !stages.contains($0) }).min() {
            throw ToolError(
                .invalid, "--topic: the checkpoint has no stage \(odd); it has \(stages.sorted().map(\.text).joined(separator: ", "))")
        }
        let others = Set(stages.subtracting(reading).map(\.text))
        let known = reader.partitions.keys.filter { !others.contains($0) }.sorted().joined(separator: ", ")
        if let odd = said.values.filter({ reader.partitions[$0] == nil }).min() {
            throw ToolError(.invalid, "--topic: the checkpoint knows no topic \(odd); it knows \(known)")
        }
        let topics = reader.topics.merging(said) { $1 }
        if let stage = reading.filter({ topics[$0] == nil }).min() {
            throw ToolError(
                .invalid, "the checkpoint does not say which topic the stage \(stage) reads; add --topic \(stage)=TOPIC, one of \(known)")
        }
        return topics
    }
}
