import Engine

/// Finds topics of which much that was read lately was rejected: all of it, or many records because they were late.
struct RejectionWatch {
    /// What is known of a topic since the start.
    struct Topic {
        var counters = TaskCounters()
        /// The record that moved a watermark of the topic furthest.
        var raisedBy: (partition: Int, record: RaisingRecord)?

        /// Adds one of the topic's partitions.
        mutating func add(_ partition: Int, _ other: TaskCounters) {
            counters.records += other.records
            counters.rejected += other.rejected
            counters.late += other.late
            if let record = other.raisedBy, raisedBy.map({ $0.record.time < record.time }) ?? true { raisedBy = (partition, record) }
        }
    }

    private var judged: [String: TaskCounters] = [:]
    /// Topics whose late records were told of, until there are few again.
    private var told: Set<String> = []
    private var looks = 0

    /// How many looks lie between two judgements, and so between two warnings about a topic.
    static let looksPerJudgement = 10
    /// So many late ones between two judgements, and one in so many of what was read, are worth a warning.
    private static let leastLate: UInt64 = 20
    private static let leastShare: UInt64 = 20

    /// What to warn of, in the order of the topics' names.
    mutating func warnings(_ topics: [String: Topic], isLast: Bool) -> [String] {
        looks += 1
        guard isLast || looks % RejectionWatch.looksPerJudgement == 0 else { return [] }
        defer { judged = topics.mapValues(\.counters) }
        return topics.sorted { $0.key < $1.key }.compactMap { name, topic in
            let before = judged[name] ?? TaskCounters()
            let (records, rejected, late) = (
                topic.counters.records - before.records, topic.counters.rejected - before.rejected, topic.counters.late - before.late
            )
            if records > 0, rejected >= records { return RejectionWatch.allRejected(name, rejected, late, topic) }
            guard late >= RejectionWatch.leastLate, late * RejectionWatch.leastShare >= records else {
                told.remove(name)
                return nil
            }
            guard told.insert(name).inserted else { return nil }
            return "\(late) of \(records) records read of \(name) lately were late: their windows were closed already; \(RejectionWatch.cause(topic)); \(RejectionWatch.whereToLook)"
        }
    }

    private static func allRejected(_ name: String, _ rejected: UInt64, _ late: UInt64, _ topic: Topic) -> String {
        let hint = late > 0 ? "late means that their windows are closed already, as when the same data is loaded again; \(cause(topic)); " : ""
        return "all \(rejected) records read of \(name) lately were rejected: \(late) late, \(rejected - min(late, rejected)) for other reasons; \(hint)\(whereToLook)"
    }

    private static let whereToLook = "rejected_records has each with its reason"

    private static func cause(_ topic: Topic) -> String {
        guard let (partition, record) = topic.raisedBy else { return "what closed them was read before this start (where the partition's watermark on the status page lies in the future, `checkpoint rewind` goes back to before it)" }
        let timestamp = record.timestamp.map { ", by Kafka's time \($0.text)" } ?? ""
        return "the watermark was raised furthest by offset \(record.offset) of partition \(partition), of \(record.time.text)\(timestamp)"
    }
}
