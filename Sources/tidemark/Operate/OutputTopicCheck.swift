import CommandLineParts
import Engine
import KafkaIO

/// Looks at the topics that rows go to beside ClickHouse, as a start would, changing nothing.
struct OutputTopicCheck {
    let parts: JobParts
    let report: CheckReport

    func run(_ tables: [SinkTable], _ state: FoundState) {
        let made = report.attempt("Kafka output", { try parts.makeKafkaOutput(reachLimit: JobCheck.reachLimit) }) { _ in "on" }
        guard let output = made.flatMap({ $0 }) else { return }
        for table in tables {
            let what = "output topic \(output.topic(of: table.table))"
            let none = "none yet; a run asks the brokers for it"
            switch state {
            case .known, .restorable:
                _ = report.attempt(what, { try output.inspect(table) }) { found in
                    guard let partitions = found.partitions else { return none }
                    let last = found.lastBatch.map { "the last batch there is \($0)" } ?? "no batch there yet"
                    return "\(counted(partitions, "partition", "partitions")), \(last), fits the state"
                }
            // The worker writes there, and is ahead of its checkpoint.
            case .standIn, .running, .finding:
                _ = report.attempt(what, { try output.partitions(of: table.table) }) {
                    $0.map { counted($0, "partition", "partitions") } ?? none
                }
            }
        }
    }
}
