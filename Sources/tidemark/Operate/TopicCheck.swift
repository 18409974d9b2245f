import CommandLineParts
import Engine
import KafkaIO

/// Looks whether topics can be read, by reading a record of each.
struct TopicCheck {
    let parts: JobParts
    /// The topics are a job's reference topics.
    var areReferences = false

    /// What a topic's log has.
    struct FoundTopic {
        let partitions: Int
        /// For people: `4 partitions, at most 80 records`
        let text: String
    }

    /// A source that begins at the logs' first records.
    func makeSource() throws -> any RecordSource {
        try parts.makeSource(untilEnd: true, start: .earliest, ofReferences: areReferences, reachLimit: JobCheck.reachLimit, waitsForSchemas: false)
    }

    /// Throws, saying what to do, when the topic is not there or can't be read.
    func look(at topic: String) throws -> FoundTopic {
        let source = try makeSource()
        let partitions = (0..<(try source.partitionCount(of: topic))).map { TopicPartition(topic: topic, partition: $0) }
        let starts = try source.open(partitions.map { SourceAssignment(partition: $0, position: nil) })
        let ends = source.ends(of: partitions, timeout: JobCheck.reachLimit)
        if let silent = partitions.first(where: { ends[$0] == nil }) {
            throw CheckFinding(description: "nobody says where partition \(silent.partition) ends: see to its leader; a start waits for it, of a reference topic until input.referenceTimeout")
        }
        let records = partitions.reduce(0) { $0 + max(0, ends[$1, default: 0] - starts[$1, default: 0]) }
        if records > 0 { try readOne(source, partitions) }
        // Offsets are all that can be asked for, and a compacted log has fewer records than offsets.
        let most = if case .kafka = parts.configuration.input.source { "at most " } else { "" }
        let text = "\(counted(partitions.count, "partition", "partitions")), \(most)\(counted(Int(records), "record", "records"))"
        return FoundTopic(partitions: partitions.count, text: text)
    }

    /// That a topic can be asked about does not mean that it can be read.
    private func readOne(_ source: any RecordSource, _ partitions: [TopicPartition]) throws {
        let reader = try source.makeReader(of: partitions)
        let deadline = ContinuousClock.now + JobCheck.reachLimit
        var isRead = false
        var atEnd: Set<TopicPartition> = []
        // At the ends of all partitions there is nothing to read: the log was compacted to nothing.
        while !isRead && atEnd.count < partitions.count {
            guard ContinuousClock.now < deadline else {
                throw CheckFinding(description: "no record could be read within 10 s: check the leaders, and that this user may read the topic")
            }
            try reader.poll(maximumRecords: 1, timeout: .milliseconds(100)) { event in
                switch event {
                case .records: isRead = true
                case .end(let partition, _): atEnd.insert(partition)
                }
            }
        }
    }
}
