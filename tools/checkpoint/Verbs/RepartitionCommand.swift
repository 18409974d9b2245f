import ArgumentParser
import CheckpointStores
import Engine
import Foundation
import SQLiteState

/// `checkpoint repartition`
struct RepartitionCommand: CheckpointVerb {
    static let configuration = verb(
        "repartition", abstract: "Makes a state directory of a checkpoint, for a topic that has got more partitions.",
        discussion: """
            Each key's state goes to the partition that its records go to now: by Kafka's murmur2 of the record's key, which is \
            taken to be the state's. Whether that holds is looked at first, with the old number of partitions. What becomes of \
            tables that are keyed by something else the job has declared, or --spread and --stay say it.

            The checkpoint has to be that of `tidemark run --before-repartition`, made when producers knew the new number, or \
            --drained says that no such run is needed. \
            Several topics that grew are brought along one after the other: REF is the directory made last.
            """
    )

    static let defaultReference: String? = nil

    @OptionGroup var words: CheckpointWords<RepartitionCommand>

    @Option(help: "How many partitions the topic has now.")
    var partitions: Int

    @Option(name: .customLong("to"), help: ArgumentHelp("A directory that is empty or not there yet.", valueName: "directory"))
    var target: String

    @Option(help: ArgumentHelp("The topic that grew; needed when the job reads several.", valueName: "name"))
    var topic: String?

    @Option(
        name: .customLong("record-key"),
        help: ArgumentHelp("What the records' keys look like, with {} for the state's: '{\"customer_id\":\"{}\"}'.", valueName: "template"))
    var recordKey: String?

    @Option(
        name: .customLong("assign"),
        help: ArgumentHelp(
            "Where each key is now, for producers with another partitioner: lines of {\"key\":\"…\",\"partition\":…}. Where that sends keys from one old partition to another, the job must have read everything before the topic grew (--drained).",
            valueName: "file"))
    var assignment: String?

    @Option(help: ArgumentHelp("Copy this table's records to every partition that may get what they are about.", valueName: "stage.table"))
    var spread: [String] = []

    @Option(help: ArgumentHelp("Leave this table's records in the partitions where they are.", valueName: "stage.table"))
    var stay: [String] = []

    @Flag(help: "Producers paused, and the job had read everything before the topic grew: then nothing needs to be read first.")
    var drained = false

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    /// Far more than a broker can have.
    private static let partitionLimit = 1_000_000

    func validate() throws {
        guard (1...RepartitionCommand.partitionLimit).contains(partitions) else {
            throw ValidationError("--partitions: expected 1 to \(RepartitionCommand.partitionLimit), found \(partitions)")
        }
        if recordKey != nil && assignment != nil {
            throw ValidationError(
                "--record-key says how keys are written that murmur2 places, --assign where they are without it: expected one of them")
        }
        if let recordKey, RecordKeyTemplate(recordKey) == nil {
            throw ValidationError("--record-key: expected a text with {} once, found \(recordKey)")
        }
        if let both = Set(spread).intersection(stay).min() {
            throw ValidationError("--spread and --stay: expected one of them for \(both)")
        }
    }

    func run() throws {
        let directory = try NewDirectory(target)
        let (name, facts) = try source.assemble(reference, in: directory.temporaryPath)
        let placements = Dictionary(spread.map { ($0, StatePlacement.copied) } + stay.map { ($0, .stays) }) { first, _ in first }
        let order = StateRepartition.Order(
            topic: topic, partitions: partitions, places: try places(), placements: placements, isDrained: drained)
        let done = try StateRepartition.perform(order, in: directory.temporaryPath + "/state.db")
        try directory.publish()
        write(done, of: name, facts, directory, mayStillRun: try possibleWorker())
    }

    /// The worker that wrote the newest checkpoint and did not drain since: what it reads is not in the state that is made.
    private func possibleWorker() throws -> String? {
        guard !source.isPath(reference), case .success(let newest)? = try source.store().liveCheckpoints().first?.manifest else {
            return nil
        }
        return Restoration.isUnowned(newest) ? nil : "\(newest.writer)"
    }

    private func places() throws -> KeyPlaces {
        guard let assignment else { return .murmur2(recordKey.flatMap { RecordKeyTemplate($0) } ?? .same) }
        return .listed(try KeyAssignment(path: assignment, partitions: partitions).keys())
    }

    private func write(
        _ done: RepartitionReport, of checkpoint: String, _ facts: CheckpointFacts, _ directory: NewDirectory, mayStillRun worker: String?
    ) {
        let report = Report("repartition", output, hasSections: true)
        report.fact("checkpoint", .text(checkpoint))
        report.fact("epoch", .count(facts.epoch.number))
        report.fact("lineage", .count(facts.lineage.number))
        report.fact("topic", .text(done.topic))
        report.fact("partitionsBefore", .count(done.before))
        report.fact("partitions", .count(done.after))
        report.fact("directory", .text(directory.path))
        if let worker { report.fact("mayStillRun", .text(worker)) }
        report.section("stateTables", ["table", "version", "placement", "keys", "moved", "copies"].map { ReportColumn($0) })
        for table in done.tables {
            let isCopied = [.copied, .copiedByNumber].contains(table.placement)
            report.row([
                .text(table.name), .count(table.version), .text(table.placement.rawValue), .count(table.keys),
                .count(isCopied ? 0 : table.changed), .count(isCopied ? table.changed : 0),
            ])
        }
        report.section("tasks", ["stage", "partition", "keysBefore", "keys", "watermark"].map { ReportColumn($0) })
        for partition in done.partitions {
            report.row([
                .text(partition.task.stage.text), .count(partition.task.partition), .count(partition.keysBefore),
                .count(partition.keysAfter),
                .watermark(partition.watermark),
            ])
        }
        report.finish()
    }
}
