import CommandLineParts
import Engine
import KafkaIO

/// Looks whether topics are there, and where they begin and end.
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
        try parts.makeSource(
            untilEnd: true, start: .earliest, ofReferences: areReferences, reachLimit: JobCheck.reachLimit, waitsForSchemas: false)
    }

    /// Throws, saying what to do, when the topic is not there or can't be asked for its ends.
    func look(at topic: String) throws -> FoundTopic {
        let source = try makeSource()
        let partitions = (0..<(try source.partitionCount(of: topic))).map { TopicPartition(topic: topic, partition: $0) }
        let starts = try source.open(partitions.map { SourceAssignment(partition: $0, position: nil) })
        let ends = source.ends(of: partitions, timeout: JobCheck.reachLimit)
        if let silent = partitions.first(where: { ends[$0] == nil }) {
            throw CheckFinding(
                description:
                    "nobody says where partition \(silent.partition) ends: see to its leader; a start waits for it, of a reference topic until input.referenceTimeout"
            )
        }
        let records = partitions.reduce(0) { $0 + max(0, ends[$1, default: 0] - starts[$1, default: 0]) }
        // Offsets are all that can be asked for, and a compacted log has fewer records than offsets.
        let most = if case .kafka = parts.configuration.input.source { "at most " } else { "" }
        let text = "\(counted(partitions.count, "partition", "partitions")), \(most)\(counted(Int(records), "record", "records"))"
        let empty =
            records == 0
            ? "; empty, so see to whatever is to write it where it should not be (Debezium: table.include.list and snapshot.mode)" : ""
        return FoundTopic(partitions: partitions.count, text: text + empty)
    }
}
