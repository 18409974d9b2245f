import CommandLineParts
import Engine
import FintechJob

/// What there is to say of the newest records of a topic.
struct InputFindings {
    enum Weight {
        case told
        /// Much of the topic, or all of it, is not what it should be.
        case finding
        /// A job is not begun with it.
        case refused
    }

    struct Line {
        let weight: Weight
        let what: String
        let text: String
    }

    let sample: TopicSample
    let settings: FintechSettings

    /// One in so many records is worth a finding.
    private static let leastShare: UInt64 = 100

    private var what: String { "newest records of \(sample.topic)" }

    var lines: [Line] {
        guard sample.signs.records > 0 else { return [Line(weight: .told, what: what, text: "there are none to look at")] }
        var lines = sample.stream.map { countLines($0, what: what, refusal: streamRefusal($0)) } ?? []
        for (name, found) in sample.references { lines += countLines(found, what: "\(what), reference \(name)", refusal: printedValues(found)) }
        return lines + signLines
    }

    // MARK: - What the job's code counted

    /// `refusal`: the reason for which a job is not begun with such records.
    private func countLines(_ found: RejectionWatch.Topic, what: String, refusal: String?) -> [Line] {
        let skipped = found.counters.skipped.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let beside = skipped.isEmpty ? "" : "; of \(found.counters.records) looked at, \(skipped.joined(separator: ", ")) skipped"
        var lines = [Line(weight: .told, what: what, text: "\(TopicSample.usable(found)) of \(found.judged) usable\(beside)")]
        for entry in found.counters.reasons.entries { lines.append(line(of: entry, found, what, "rejected as", refusal)) }
        for entry in found.counters.remarks.entries { lines.append(line(of: entry, found, what, "remarked as", refusal)) }
        return lines
    }

    private func line(of entry: ReasonCounts.Entry, _ found: RejectionWatch.Topic, _ what: String, _ verb: String, _ refusal: String?) -> Line {
        let place = InputFindings.place(entry.partition, entry.offset)
        let cure = RejectionCure.words(for: entry.reason).map { ": " + $0 } ?? ""
        // Digits that may be Base64 are most often what they show.
        let isMuch = entry.count * InputFindings.leastShare >= found.judged && !entry.reason.begins(with: "ambiguous_decimal")
        let weight: Weight = refusal != nil && entry.reason.begins(with: refusal ?? "") ? .refused : isMuch ? .finding : .told
        return Line(weight: weight, what: what, text: "\(entry.count) of \(found.judged) \(verb) \(entry.reason), the last \(place)\(cure)")
    }

    private static func place(_ partition: Int?, _ offset: Int64?) -> String {
        guard let partition, let offset else { return "somewhere" }
        return "at offset \(offset) of partition \(partition)"
    }

    private func streamRefusal(_ stream: RejectionWatch.Topic) -> String? {
        let counters = stream.counters
        func count(_ reason: String) -> UInt64 { counters.reasons[reason]?.count ?? 0 }
        let missing = count("missing_operation")
        if missing > 0, missing + count("malformed_json") + count("malformed_avro") + count("printed_struct") >= stream.judged { return "missing_operation" }
        // A decimal that shows what it is says that the others are single ones.
        func remarks(_ reason: String) -> UInt64 {
            counters.remarks.entries.filter { $0.reason.begins(with: reason) }.reduce(0) { $0 + $1.count }
        }
        if remarks("base64_decimal") > 0, TopicSample.usable(stream) <= remarks("ambiguous_decimal") { return "base64_decimal" }
        return printedValues(stream)
    }

    private func printedValues(_ found: RejectionWatch.Topic) -> String? {
        let printed = found.counters.reasons["printed_struct"]?.count ?? 0
        return printed > 0 && printed >= found.judged ? "printed_struct" : nil
    }

    // MARK: - What the records themselves tell

    private var signLines: [Line] {
        let signs = sample.signs
        var lines = signs.foreignForms.sorted { $0.key < $1.key }.map { form, sign in
            Line(
                weight: .finding, what: what,
                text: "\(sign.count) of \(signs.records) are \(form), the last \(InputFindings.place(sign.partition, sign.offset)): \(RejectionCure.words(forForm: form))"
            )
        }
        if signs.printedKeys.count > 0 {
            let isRefused = !sample.references.isEmpty && signs.printedKeys.count == signs.keys
            lines.append(Line(
                weight: isRefused ? .refused : .finding, what: what,
                text: "\(signs.printedKeys.count) of \(signs.keys) keys were printed as Struct{…}, the last \(InputFindings.place(signs.printedKeys.partition, signs.printedKeys.offset)), so that what is deleted can't be known by them: \(RejectionCure.words(for: "printed_struct") ?? "")"
            ))
        }
        return lines + keyLine + zoneLine
    }

    private var keyLine: [Line] {
        let signs = sample.signs
        guard signs.comparedKeys > 0 else { return [] }
        let others = signs.keysOfOthers
        guard others.count > 0 else { return [Line(weight: .told, what: what, text: "all \(signs.comparedKeys) keys that could be compared are the customers'")] }
        let isHarmless = sample.partitions == 1
        let text = "\(others.count) of \(signs.comparedKeys) keys are not the customer_id of their rows alone, the last \(InputFindings.place(others.partition, others.offset)): \(RejectionCure.wordsForKeys)"
        return [Line(weight: isHarmless ? .told : .finding, what: what, text: isHarmless ? text + "; with its one partition all customers meet all the same" : text)]
    }

    private var zoneLine: [Line] {
        guard let (minutes, sign) = sample.signs.zone else { return [] }
        let hours = "\(abs(minutes) / 60):\(abs(minutes) % 60 < 10 ? "0" : "")\(abs(minutes) % 60)"
        let zone = "\(minutes < 0 ? "-" : "+")\(abs(minutes) < 600 ? "0" : "")\(hours)"
        let cure = settings.form.zone == nil
            ? "if the database writes times without a zone, set input.timeZone to that of its clocks, such as \"\(zone)\""
            : "input.timeZone does not seem to be the zone of the database's clocks"
        return [Line(
            weight: .finding, what: what,
            text: "the times of all \(sign.count) inserts are \(hours) hours \(minutes < 0 ? "behind" : "ahead of") Kafka's, the last \(InputFindings.place(sign.partition, sign.offset)): \(cure)"
        )]
    }
}
