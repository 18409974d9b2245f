import Engine
import FintechJob

/// What was found in the newest records of one topic, decoded with the job's own code.
struct TopicSample {
    let topic: String
    var partitions = 0
    /// By the stage that reads the topic; nil when none does.
    var stream: RejectionWatch.Topic?
    /// By the reference tables that the topic fills. What is unusable of a field alone is among the remarks.
    var references: [(name: String, found: RejectionWatch.Topic)] = []
    var signs = InputSigns()

    /// Records that a stage or a table could use, of those that it does not skip.
    static func usable(_ found: RejectionWatch.Topic) -> UInt64 { found.judged - min(found.counters.rejected, found.judged) }
}

/// Decodes the newest records of one topic; nothing of what comes of it is kept, and nothing leaves.
final class TopicSampler {
    private let topic: String
    private let partitions: Int
    private let recordLimit: Int
    private let stage: Stage?
    private let tables: [String: ReferenceTable]
    private let readers: [(name: String, reader: any ReferenceReader)]
    private let signs: any InputSignReader
    private var tasks: [Int: any StreamTask] = [:]
    private var references: [RejectionWatch.Topic]

    init(_ topic: String, partitions: Int, _ topology: Topology, recordLimit: Int, signs: any InputSignReader) {
        self.topic = topic
        self.partitions = partitions
        self.recordLimit = recordLimit
        self.signs = signs
        stage = topology.stages.first { $0.input == .topic(topic) }
        let tables = Dictionary(uniqueKeysWithValues: topology.references.map { ($0.name, ReferenceTable(name: $0.name)) })
        self.tables = tables
        readers = topology.references.filter { $0.topic == topic }.compactMap { reference in
            tables[reference.name].map { (reference.name, reference.makeReader($0)) }
        }
        references = readers.map { _ in RejectionWatch.Topic() }
    }

    func take(_ records: UnsafeBufferPointer<SourceRecord>, of partition: Int) throws {
        for record in records { signs.note(record, in: partition) }
        for index in readers.indices { references[index].add(partition, counters(of: records, readers[index].reader)) }
        // Whether a sample's times are of the future is for the clock to say.
        if let stage { try task(of: partition, stage).process(records, at: .distantFuture) }
    }

    private func task(of partition: Int, _ stage: Stage) throws -> any StreamTask {
        if let task = tasks[partition] { return task }
        // Nothing of a sample is stored, so any key of hashes is as good.
        var environment = TaskEnvironment(
            partitioning: [:], partitions: [stage.name: partitions], cold: NothingEvicted(), hashKey: HashKey(first: 0, second: 0),
            references: tables
        )
        // A sample's watermarks are nobody's: nothing of it is late.
        environment.holdsWatermarks = true
        environment.recordLimit = recordLimit
        let task = stage.build(TaskSetup(task: TaskID(stage: stage.name, partition: partition), environment: environment))
        try task.resume(at: .distantPast, position: nil)
        tasks[partition] = task
        return task
    }

    private func counters(of records: UnsafeBufferPointer<SourceRecord>, _ reader: any ReferenceReader) -> TaskCounters {
        var counters = TaskCounters()
        for record in records {
            counters.records += 1
            guard record.byteCount <= recordLimit else {
                counters.rejected += 1
                counters.reasons.add(.tooLarge, at: record.offset)
                continue
            }
            switch reader.apply(record) {
            case .applied: for defect in reader.fieldDefects { counters.remarks.add(defect.rejection, at: record.offset) }
            case .ignored: counters.skipped["ignored", default: 0] += 1
            case .unusable(let rejection):
                counters.rejected += 1
                counters.reasons.add(rejection, at: record.offset)
            }
        }
        return counters
    }

    /// What was found so far.
    var sample: TopicSample {
        var sample = TopicSample(topic: topic, partitions: partitions)
        if stage != nil {
            var stream = RejectionWatch.Topic()
            for (partition, task) in tasks.sorted(by: { $0.key < $1.key }) { stream.add(partition, task.counters) }
            sample.stream = stream
        }
        sample.references = zip(readers, references).map { ($0.name, $1) }
        sample.signs = signs.signs
        return sample
    }
}
