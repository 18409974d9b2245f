import ArgumentParser
import CommandLineParts
import Configuration
import Engine
import Foundation
import KafkaIO
import SQLiteState

/// `tidemark skip`
struct SkipCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "skip",
        abstract: "Passes over records that can't be read, such as a batch that becomes more than librdkafka takes.",
        discussion: """
            The offset is the one that the error names: where the state reads on. Where it lies in a compressed batch that can't be \
            read, the whole batch is passed over. Each offset goes to rejected_records, and the state remembers the reason. The worker \
            has to be stopped.
            """
    )

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The topic, with its prefix.")
    var topic: String

    @Argument(help: "The partition.")
    var partition: Int

    @Argument(help: "The last offset to pass over.")
    var offset: Int64

    @Option(help: "Why; kept in the state, and written to rejected_records.")
    var reason: String

    @Flag(help: "Pass over records that can be read, too.")
    var force = false

    /// The state and rejected_records keep it: longer than any sentence, and no room to hide in.
    private static let reasonLimit = 200
    /// One row each, all in one transaction.
    private static let offsetLimit: Int64 = 500_000

    func validate() throws {
        if partition < 0 || offset < 0 {
            throw ValidationError("expected a partition and an offset from 0 on, found \(partition) and \(offset)")
        }
        let length = reason.utf8.count
        if length == 0 || length > SkipCommand.reasonLimit || reason.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
            throw ValidationError("--reason: expected 1 to \(SkipCommand.reasonLimit) bytes of text on one line, found \(length) bytes")
        }
    }

    func run() throws {
        let configuration = try options.load()
        let parts = JobParts(configuration: configuration, logger: LogOutput.start(configuration.log, redactor: configuration.redactor))
        guard FileManager.default.fileExists(atPath: configuration.state.directory + "/state.db") else {
            throw CommandError(
                .missing, "there is no state in \(configuration.state.directory), so nothing to skip in it; see to state.directory")
        }
        let store = try parts.makeStore()
        let topology = parts.topology(over: try store.fixedSettings())
        let stage = try stage(in: topology)
        let restored = try store.open(topology)
        let place = TopicPartition(topic: topic, partition: partition)
        let id = TaskID(stage: stage.name, partition: partition)
        guard let known = restored.tasks[id], let position = known.position else {
            throw CommandError(
                .missing, "the state has read nothing of \(place), and does not say where it would begin: start the job once")
        }
        guard offset >= position.next else {
            throw CommandError(
                .invalid, "offset \(offset) of \(place) is behind: the state reads on at \(position.next), and nothing goes back")
        }
        let last = try last(from: position.next, of: place, parts)
        guard last - position.next < SkipCommand.offsetLimit else {
            throw CommandError(
                .invalid,
                "offsets \(position.next) to \(last) of \(place) are more than the \(SkipCommand.offsetLimit) that are passed over at once: skip to an earlier offset first, with --force where it is in the middle of a batch"
            )
        }
        let skipped = SkippedRecords(place, position.next...last, at: EventTime(milliseconds: WallTime.now.milliseconds), reason: reason)
        try store.commit(cut(skipped, stage, known, restored, topology, store))
        let offsets = skipped.first == last ? "offset \(last) is" : "offsets \(skipped.first) to \(last) are"
        Console.writeResult(
            "\(place): \(offsets) passed over; the next run reads on at \(last + 1) and writes \(skipped.first == last ? "it" : "each") to \(RejectedRecords.table.name)"
        )
    }

    private func stage(in topology: Topology) throws -> Stage {
        let streams = topology.stages.compactMap { stage in
            if case .topic(let topic) = stage.input { (stage: stage, topic: topic) } else { nil }
        }
        guard let found = streams.first(where: { $0.topic == topic }) else {
            guard !topology.references.contains(where: { $0.topic == topic }) else {
                throw CommandError(
                    .invalid,
                    "\(topic) is a reference topic, of which nothing can be passed over: raise the limit that the message named, or have what can't be read written anew"
                )
            }
            throw CommandError(
                .missing, "the job reads no stream from the topic \(topic): expected \(streams.map(\.topic).joined(separator: " or "))")
        }
        return found.stage
    }

    /// The last offset to pass over. Throws where that would leave out what can be read, unless that is wanted.
    private func last(from first: Int64, of place: TopicPartition, _ parts: JobParts) throws -> Int64 {
        guard case .kafka = parts.configuration.input.source else {
            guard force else {
                throw CommandError(
                    .invalid, "every line of a directory can be read, so nothing has to be skipped; --force leaves lines out all the same")
            }
            return offset
        }
        let look = try OffsetLook(parts.kafkaSettings(reachLimit: JobCheck.reachLimit), at: place, logger: parts.logger)
        var next = first
        while next <= offset {
            switch try look.find(at: next) {
            case .unreadable(let batch, _): next = try look.end(ofBatch: batch, with: next)
            case .end: throw CommandError(.invalid, "\(place) ends at offset \(next): there is nothing to pass over up to \(offset)")
            case .record(let found):
                guard force else {
                    throw CommandError(
                        .invalid,
                        "offset \(found) of \(place) can be read, and the job has not: start it, and it reads up to what it can't. --force leaves out what can be read as well"
                    )
                }
                next = max(found, next) + 1
            }
        }
        return next - 1
    }

    /// The rows and the position that the task itself would hand over.
    private func cut(
        _ skipped: SkippedRecords, _ stage: Stage, _ known: RestoredTask, _ restored: RestoredState, _ topology: Topology,
        _ store: SQLiteStateStore
    ) throws -> EpochCut {
        let references = Dictionary(uniqueKeysWithValues: topology.references.map { ($0.name, ReferenceTable(name: $0.name)) })
        let environment = TaskEnvironment(
            partitioning: [:], partitions: topology.taskCounts(restored.partitions), cold: store, hashKey: restored.hashKey,
            references: references
        )
        let task = stage.build(TaskSetup(task: TaskID(stage: stage.name, partition: partition), environment: environment))
        try task.resume(at: known.watermark, position: known.position)
        task.passOver(skipped)
        let epoch = restored.epoch.next
        var cut = EpochCut(
            epoch: epoch, tasks: [task.cut(epoch).copyingRows(to: topology.additionalSinks)], frozen: [], delivered: [],
            wallClock: skipped.at.milliseconds
        )
        cut.skipped = [skipped]
        return cut
    }
}
