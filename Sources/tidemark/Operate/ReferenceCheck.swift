import CommandLineParts
import Engine
import KafkaIO
import SQLiteState

/// Looks at a job's reference topics and at the copy of them, as a start would, changing nothing.
struct ReferenceCheck {
    let parts: JobParts
    let report: CheckReport

    /// How many partitions each topic that can be read has; the others are findings.
    func topics(_ references: [Reference]) -> [String: Int] {
        var partitions: [String: Int] = [:]
        for reference in references {
            let found = report.attempt(
                "reference topic \(reference.topic)", { try TopicCheck(parts: parts, areReferences: true).look(at: reference.topic) },
                ok: \.text)
            partitions[reference.topic] = found?.partitions
        }
        return partitions
    }

    /// What is copied already; what does not fit is read anew by a start, and so no finding.
    func file(_ references: [Reference], _ partitions: [String: Int]) {
        let readable = references.filter { partitions[$0.topic] != nil }
        guard readable.count == references.count else { return report.skipped("references.db", "a reference topic is a finding") }
        _ = report.attempt("references.db") {
            do {
                guard
                    let stored = try ReferenceFile.inspect(
                        directory: parts.configuration.state.directory, references, partitions: partitions)
                else {
                    return "none yet; a run reads the topics from their starts"
                }
                return try references.map { try describe($0, stored[$0.name]) }.joined(separator: "; ")
            } catch let failure as any Failure where failure.kind == .corrupt || failure.kind == .incompatible {
                return "a run makes it anew, because \(plainText(of: failure))"
            }
        } ok: {
            $0
        }
    }

    private func describe(_ reference: Reference, _ stored: ReferenceFile.Stored?) throws -> String {
        if let reason = stored?.droppedBecause { return "\(reference.name) is read anew, because \(reason)" }
        guard let stored, !stored.positions.isEmpty else { return "\(reference.name) is not read yet" }
        let partitions = stored.positions.keys.sorted().map { TopicPartition(topic: reference.topic, partition: $0) }
        let source = try TopicCheck(parts: parts, areReferences: true).makeSource()
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
