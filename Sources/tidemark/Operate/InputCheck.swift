import CommandLineParts
import Engine
import KafkaIO

/// Tells what the newest records of a job's topics are like, a line for each thing.
struct InputCheck {
    let parts: JobParts
    let report: CheckReport

    /// `topics`: those that are there. `state`: what the start would go on from.
    func run(_ topics: [String], _ state: FoundState) {
        guard !topics.isEmpty else { return report.skipped("newest records", "no topic can be read") }
        let found: InputLook.Found
        do {
            found = try InputLook(parts: parts).look(at: topics)
        } catch {
            return report.warning("newest records", plainText(of: error))
        }
        for (partition, reason) in found.failures.sorted(by: { $0.key < $1.key }) {
            report.warning(
                "newest records of \(partition.topic)",
                "partition \(partition.partition) can't be read: \(reason)")
        }
        let unread = Dictionary(grouping: found.unread, by: \.topic)
        for (topic, partitions) in unread.sorted(by: { $0.key < $1.key }) {
            report.warning(
                "newest records of \(topic)",
                "those of \(counted(partitions.count, "partition", "partitions")), \(partitions[0].partition) first, could not be read within \(InputLook.limit): \(parts.schemas?.trouble ?? "check the leaders, and that this user may read the topic")"
            )
        }
        let failed = Set(found.failures.keys.map(\.topic)).union(unread.keys)
        for sample in found.samples where sample.signs.records > 0 || !failed.contains(sample.topic) {
            for line in InputFindings.sayingOnce(InputFindings(sample: sample, settings: parts.jobSettings).lines) { tell(line, state) }
        }
    }

    private func tell(_ line: InputFindings.Line, _ state: FoundState) {
        switch line.weight {
        case .told: report.ok(line.what, line.text)
        case .warned: report.warning(line.what, line.text)
        case .refused where state.beginsWithLook: report.finding(line.what, line.text)
        case .refused: report.warning(line.what, line.text)
        }
    }
}
