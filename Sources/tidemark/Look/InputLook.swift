import CommandLineParts
import Engine
import FintechJob
import KafkaIO

/// Looks at the newest records of a job's topics, storing nothing.
struct InputLook {
    let parts: JobParts

    /// So many of a partition's offsets are looked at, back from its end.
    static let recordsPerPartition: Int64 = 100
    /// So many partitions are read at once, those of the lowest numbers of every topic first.
    static let partitionsAtOnce = 32
    /// For all of a look; what was not read by then is told.
    static let limit = Duration.seconds(10)

    /// What was found.
    struct Found {
        /// In the order of the topics that were asked for.
        var samples: [TopicSample] = []
        /// Partitions that could not be read to their ends in time.
        var unread: [TopicPartition] = []
        /// Where reading failed, and why.
        var failures: [TopicPartition: String] = [:]
    }

    /// Throws when the topics can't be asked for.
    func look(at topics: [String]) throws -> Found {
        let deadline = ContinuousClock.now + InputLook.limit
        let (topology, settings) = (parts.topology, parts.jobSettings)
        let first = try makeSource(deadline)
        var samplers: [String: TopicSampler] = [:]
        var partitions: [TopicPartition] = []
        for topic in topics {
            let count = try first.partitionCount(of: topic)
            samplers[topic] = TopicSampler(
                topic, partitions: count, topology, recordLimit: first.limit(of: parts.configuration.input.maxRecordBytes),
                signs: FintechJob.makeSignReader(of: topic, settings: settings)
            )
            partitions += (0..<count).map { TopicPartition(topic: topic, partition: $0) }
        }
        let starts = try first.open(partitions.map { SourceAssignment(partition: $0, position: nil) })
        let ends = first.ends(of: partitions, timeout: left(until: deadline))
        var found = Found()
        found.unread = partitions.filter { ends[$0] == nil }
        // The source looks at one start for all: what is read here begins elsewhere.
        let source = try makeSource(deadline)
        let assignments = partitions.compactMap { partition in
            ends[partition].flatMap { assignment(partition, from: starts[partition] ?? 0, to: $0) }
        }
        if !assignments.isEmpty { try source.open(assignments) }
        let ordered = assignments.map(\.partition).sorted { ($0.partition, $0.topic) < ($1.partition, $1.topic) }
        for start in stride(from: 0, to: ordered.count, by: InputLook.partitionsAtOnce) {
            let group = Array(ordered[start..<min(start + InputLook.partitionsAtOnce, ordered.count)])
            try read(group, to: ends, of: source, deadline, samplers, &found)
        }
        found.samples = topics.compactMap { samplers[$0]?.sample }
        found.unread.sort()
        return found
    }

    /// nil for a partition without records.
    private func assignment(_ partition: TopicPartition, from start: Int64, to end: Int64) -> SourceAssignment? {
        guard start < end else { return nil }
        return SourceAssignment(
            partition: partition, position: SourcePosition(next: max(start, end - InputLook.recordsPerPartition), last: nil))
    }

    private func read(
        _ group: [TopicPartition], to ends: [TopicPartition: Int64], of source: any RecordSource, _ deadline: ContinuousClock.Instant,
        _ samplers: [String: TopicSampler], _ found: inout Found
    ) throws {
        let reader = try source.makeReader(of: group)
        var unread = Set(group)
        var failure: (any Error)?
        while !unread.isEmpty, ContinuousClock.now < deadline {
            do {
                try reader.poll(maximumRecords: Int(InputLook.recordsPerPartition), timeout: .milliseconds(50)) { event in
                    switch event {
                    case .records(let partition, let records):
                        do { try samplers[partition.topic]?.take(records, of: partition.partition) } catch { failure = error }
                        if let last = records.last, last.offset + 1 >= ends[partition] ?? 0 { unread.remove(partition) }
                    case .end(let partition, _): unread.remove(partition)
                    }
                }
            } catch {
                for partition in unread { found.failures[partition] = plainText(of: error) }
                return
            }
            if let failure { throw failure }
        }
        found.unread += unread
    }

    private func makeSource(_ deadline: ContinuousClock.Instant) throws -> any RecordSource {
        try parts.makeSource(untilEnd: true, start: .earliest, reachLimit: left(until: deadline))
    }

    /// A second at least, in which whoever answers at all does.
    private func left(until deadline: ContinuousClock.Instant) -> Duration { max(.seconds(1), deadline - ContinuousClock.now) }
}
