import Engine
import FintechJob

/// Finds topics of which much that was read lately was rejected, and what decoders and processors remarked; each is told of once,
/// until it has passed.
struct RejectionWatch {
    /// What is known of a topic, or of a stage that reads none, since the start.
    struct Topic {
        var counters = TaskCounters()
        /// The record that moved a watermark of the topic furthest.
        var raisedBy: (partition: Int, record: RaisingRecord)?

        /// Adds one of the topic's partitions.
        mutating func add(_ partition: Int, _ other: TaskCounters) {
            counters.records += other.records
            counters.rejected += other.rejected
            counters.late += other.late
            counters.skipped.merge(other.skipped, uniquingKeysWith: +)
            counters.reasons.add(other.reasons, of: partition)
            counters.remarks.add(other.remarks, of: partition)
            if let record = other.raisedBy, raisedBy.map({ $0.record.time < record.time }) ?? true { raisedBy = (partition, record) }
        }

        /// Records that were to be processed: what is skipped says nothing of the others.
        var judged: UInt64 { counters.records - min(counters.skipped.values.reduce(0, +), counters.records) }
    }

    /// `time.maxAhead`; nil for none.
    private let maxAhead: EventSpan?
    private var judged: [String: Topic] = [:]
    private var judgedOfMinute: [String: Topic] = [:]
    /// Topics whose late records, and topics and reasons of which a share was rejected, that were told of, until there are few again.
    private var told: Set<String> = []
    private var toldRemarks: Set<String> = []
    private var looks = 0

    /// How many looks lie between two judgements, and so between two warnings about a topic.
    static let looksPerJudgement = 10
    /// How many looks lie between two judgements of small shares: a minute.
    static let looksPerMinute = 60
    /// So many late ones between two judgements, and one in so many of what was read, are worth a warning.
    private static let leastLate: UInt64 = 20
    private static let leastShare: UInt64 = 20
    /// One in so many rejected over a minute is worth a warning.
    private static let leastShareOfMinute: UInt64 = 100
    /// So many reasons are named in a warning; the others are put together.
    private static let namedReasons = 5

    init(maxAhead: EventSpan?) { self.maxAhead = maxAhead }

    /// What to warn of, in the order of the topics' names.
    mutating func warnings(_ topics: [String: Topic], isLast: Bool) -> [String] {
        looks += 1
        var warnings = remarks(topics)
        if isLast || looks % RejectionWatch.looksPerJudgement == 0 {
            for (name, topic) in topics.sorted(by: { $0.key < $1.key }) { warnings += judge(name, topic).map { [$0] } ?? [] }
            judged = topics
        }
        if isLast || looks % RejectionWatch.looksPerMinute == 0 {
            for (name, topic) in topics.sorted(by: { $0.key < $1.key }) {
                warnings += [judgeLateOfMinute(name, topic), judgeMinute(name, topic)].compactMap { $0 }
            }
            judgedOfMinute = topics
        }
        return warnings
    }

    private mutating func judge(_ name: String, _ topic: Topic) -> String? {
        let before = judged[name] ?? Topic()
        let records = topic.judged - min(before.judged, topic.judged)
        let rejected = topic.counters.rejected - before.counters.rejected
        let late = topic.counters.late - before.counters.late
        if records > 0, rejected >= records {
            told.insert("share of \(name)")
            return allRejected(name, rejected, late, topic, since: before)
        }
        guard late >= RejectionWatch.leastLate, late * RejectionWatch.leastShare >= records else {
            told.remove("late in \(name)")
            return nil
        }
        guard told.insert("late in \(name)").inserted else { return nil }
        return wereLate(late, of: records, "lately", name, topic)
    }

    /// Of few late ones, which go on for a minute.
    private mutating func judgeLateOfMinute(_ name: String, _ topic: Topic) -> String? {
        let before = judgedOfMinute[name] ?? Topic()
        let records = topic.judged - min(before.judged, topic.judged)
        let late = topic.counters.late - before.counters.late
        guard late > 0, late * RejectionWatch.leastShareOfMinute >= records else {
            told.remove("late share of \(name)")
            return nil
        }
        guard told.insert("late share of \(name)").inserted, !told.contains("late in \(name)") else { return nil }
        return wereLate(late, of: records, "in the last minute", name, topic)
    }

    private func wereLate(_ late: UInt64, of records: UInt64, _ span: String, _ name: String, _ topic: Topic) -> String {
        "\(late) of \(records) records read of \(name) \(span) were late: their windows were closed already; \(cause(topic)); \(RejectionWatch.whereToLook)"
    }

    private mutating func judgeMinute(_ name: String, _ topic: Topic) -> String? {
        let before = judgedOfMinute[name] ?? Topic()
        let records = topic.judged - min(before.judged, topic.judged)
        let rejected = topic.counters.rejected - before.counters.rejected
        guard rejected > 0, rejected * RejectionWatch.leastShareOfMinute >= records else {
            told.remove("share of \(name)")
            return nil
        }
        guard told.insert("share of \(name)").inserted else { return nil }
        return
            "\(rejected) of \(records) records read of \(name) in the last minute were rejected\(reasons(topic, since: before)); \(RejectionWatch.whereToLook)"
    }

    private func allRejected(_ name: String, _ rejected: UInt64, _ late: UInt64, _ topic: Topic, since before: Topic) -> String {
        let hint =
            late > 0
            ? "; late means that their windows are closed already, as when the same data is loaded again; \(cause(topic))"
            : ""
        return
            "all \(rejected) records read of \(name) lately were rejected: \(late) late, \(rejected - min(late, rejected)) for other reasons\(reasons(topic, since: before))\(hint); \(RejectionWatch.whereToLook)"
    }

    /// Each reason since `before`, the most frequent first, with a place and what to do; nothing for late records, whose cause is told
    /// otherwise.
    private func reasons(_ topic: Topic, since before: Topic) -> String {
        let counts = topic.counters.reasons.entries.map { ($0, $0.count - (before.counters.reasons[$0.reason]?.count ?? 0)) }
            .filter { $0.0.reason != "late" && $0.1 > 0 }.sorted { ($1.1, $0.0.reason) < ($0.1, $1.0.reason) }
        let named = counts.prefix(RejectionWatch.namedReasons).map { entry, count in
            "\(count) of them for \(entry.reason), \(place(entry))\(RejectionCure.words(for: entry.reason).map { ": " + $0 } ?? "")"
        }
        let others = counts.dropFirst(RejectionWatch.namedReasons)
        let rest =
            others.isEmpty
            ? []
            : ["\(others.reduce(0) { $0 + $1.1 }) of them for \(others.count == 1 ? "another reason" : "\(others.count) other reasons")"]
        return counts.isEmpty ? "" : ", " + (named + rest).joined(separator: "; ")
    }

    private func place(_ entry: ReasonCounts.Entry) -> String {
        guard let offset = entry.offset, let partition = entry.partition else { return "\(entry.count) in all" }
        return "the last at offset \(offset) of partition \(partition)"
    }

    /// What decoders and processors remarked for the first time.
    private mutating func remarks(_ topics: [String: Topic]) -> [String] {
        topics.sorted { $0.key < $1.key }.flatMap { name, topic in
            topic.counters.remarks.entries.compactMap { entry in
                guard toldRemarks.insert("\(entry.reason) in \(name)").inserted else { return nil }
                let words = RejectionCure.words(for: entry.reason).map { ": " + $0 } ?? ""
                return
                    "\(name): \(entry.reason), \(place(entry))\(words). Others like it are counted on the status page and in tidemark_remarks_total, and not told"
            }
        }
    }

    private static let whereToLook = "rejected_records has each with its reason"

    private func cause(_ topic: Topic) -> String {
        guard let (partition, record) = topic.raisedBy else {
            return
                "what closed them was read before this start (where the partition's watermark on the status page lies in the future, `checkpoint rewind` goes back to before it)"
        }
        let timestamp = record.timestamp.map { ", by Kafka's time \($0.text)" } ?? ""
        let bound =
            maxAhead.map { "time.maxAhead lets a record be \($0.milliseconds / 1000) s ahead of the clock" }
            ?? "time.maxAhead bounds nothing"
        return
            "the watermark was raised furthest by offset \(record.offset) of partition \(partition), of \(record.time.text)\(timestamp) (\(bound); if that record's clock was wrong, `checkpoint rewind` to before it and a smaller bound have the late ones judged anew)"
    }
}
