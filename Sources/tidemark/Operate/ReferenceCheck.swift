import CommandLineParts
import Engine
import KafkaIO
import SQLiteState

/// Looks at a job's reference topics and at the copy of them, as a start would, changing nothing.
struct ReferenceCheck {
    let parts: JobParts
    let report: CheckReport

    // MARK: - Topics

    /// What a topic's log has.
    private struct FoundTopic {
        let partitions: Int
        let records: Int64
    }

    /// How many partitions each topic that can be read has; the others are findings.
    func topics(_ references: [Reference]) -> [String: Int] {
        var partitions: [String: Int] = [:]
        for reference in references {
            let found = report.attempt("reference topic \(reference.topic)", { try look(at: reference.topic) }) { found in
                // Offsets are all that can be asked for, and a compacted log has fewer records than offsets.
                let most = if case .kafka = parts.configuration.input.source { "at most " } else { "" }
                return "\(counted(found.partitions, "partition", "partitions")), \(most)\(counted(Int(found.records), "record", "records"))"
            }
            partitions[reference.topic] = found?.partitions
        }
        return partitions
    }

    private func makeSource() throws -> any RecordSource {
        try parts.makeSource(untilEnd: true, start: .earliest, reachLimit: JobCheck.reachLimit)
    }

    private func look(at topic: String) throws -> FoundTopic {
        let source = try makeSource()
        let partitions = (0..<(try source.partitionCount(of: topic))).map { TopicPartition(topic: topic, partition: $0) }
        let starts = try source.open(partitions.map { SourceAssignment(partition: $0, position: nil) })
        let ends = source.ends(of: partitions, timeout: JobCheck.reachLimit)
        if let silent = partitions.first(where: { ends[$0] == nil }) {
            throw CheckFinding(description: "nobody says where partition \(silent.partition) ends: see to its leader, or the start waits for it until input.referenceTimeout")
        }
        let records = partitions.reduce(0) { $0 + max(0, ends[$1, default: 0] - starts[$1, default: 0]) }
        if records > 0 { try readOne(source, partitions) }
        return FoundTopic(partitions: partitions.count, records: records)
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

    // MARK: - The copy

    /// What is copied already; what does not fit is read anew by a start, and so no finding.
    func file(_ references: [Reference], _ partitions: [String: Int]) {
        let readable = references.filter { partitions[$0.topic] != nil }
        guard readable.count == references.count else { return report.skipped("references.db", "a reference topic is a finding") }
        _ = report.attempt("references.db") {
            do {
                guard let stored = try ReferenceFile.inspect(directory: parts.configuration.state.directory, references, partitions: partitions) else {
                    return "none yet; a run reads the topics from their starts"
                }
                return try references.map { try describe($0, stored[$0.name]) }.joined(separator: "; ")
            } catch let failure as any Failure where failure.kind == .corrupt || failure.kind == .incompatible {
                return "a run makes it anew, because \(plainText(of: failure))"
            }
        } ok: { $0 }
    }

    private func describe(_ reference: Reference, _ stored: ReferenceFile.Stored?) throws -> String {
        if let reason = stored?.droppedBecause { return "\(reference.name) is read anew, because \(reason)" }
        guard let stored, !stored.positions.isEmpty else { return "\(reference.name) is not read yet" }
        let partitions = stored.positions.keys.sorted().map { TopicPartition(topic: reference.topic, partition: $0) }
        let source = try makeSource()
        do {
            try source.open(partitions.map { SourceAssignment(partition: $0, position: stored.positions[$0.partition]) })
        } catch let failure as any Failure where failure.kind == .invalid || failure.kind == .corrupt {
            return "\(reference.name) is read anew, because \(plainText(of: failure))"
        }
        let ends = source.ends(of: partitions, timeout: JobCheck.reachLimit)
        let behind = partitions.reduce(Int64(0)) { sum, partition in
            sum + max(0, (ends[partition] ?? 0) - (stored.positions[partition.partition]?.next ?? 0))
        }
        return "\(reference.name) fits its log, \(counted(Int(behind), "record", "records")) behind"
    }
}
