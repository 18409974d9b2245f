import CommandLineParts
import Engine
import FintechJob

/// What there is to say of the newest records of a topic: the same before a first start and for who asks with `check`.
struct InputFindings {
    enum Weight {
        case told
        /// Some of the topic is not what it should be: a job may begin with it.
        case warned
        /// All of the topic would be misread, or could never be used: a job is not begun with it.
        case refused
    }

    struct Line {
        let weight: Weight
        let what: String
        let finding: String
        /// What to do; nil where nothing general can be said.
        var cure: String?

        var text: String { cure.map { "\(finding): \($0)" } ?? finding }
    }

    let sample: TopicSample
    let settings: FintechSettings

    /// One in so many records is worth a warning.
    private static let leastShare: UInt64 = 100

    private var what: String { "newest records of \(sample.topic)" }

    /// In this order; see `sayingOnce` for what is said of them.
    var lines: [Line] {
        guard sample.signs.records > 0 else { return [Line(weight: .told, what: what, finding: "there are none to look at")] }
        var lines = sample.stream.map { countLines($0, what: what, refusal: refusal(ofStream: $0)) } ?? []
        for (name, found) in sample.references {
            lines += countLines(found, what: "\(what), reference \(name)", refusal: refusal(ofReference: found))
        }
        return formLines + lines + keyLines + zoneLine
    }

    /// These lines, with what to do said at the first of those for which it is the same.
    static func sayingOnce(_ lines: [Line]) -> [Line] {
        var said: Set<String> = []
        return lines.map { line in
            guard let cure = line.cure, !said.insert(cure).inserted else { return line }
            var line = line
            line.cure = "what to do stands above"
            return line
        }
    }

    // MARK: - What the job's code counted

    /// Why a job is not begun with a topic.
    private enum Refusal {
        /// Nothing of it can be used, for whatever reasons.
        case nothingUsable
        /// Its decimals are not what they would be taken for.
        case base64
    }

    private func countLines(_ found: RejectionWatch.Topic, what: String, refusal: Refusal?) -> [Line] {
        let skipped = found.counters.skipped.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let beside = skipped.isEmpty ? "" : "; of \(found.counters.records) looked at, \(skipped.joined(separator: ", ")) skipped"
        let counted = Line(weight: .told, what: what, finding: "\(TopicSample.usable(found)) of \(found.judged) usable\(beside)")
        let rejected = found.counters.reasons.entries.map { line(of: $0, found, what, "rejected", isRefused: refusal == .nothingUsable) }
        let remarked = found.counters.remarks.entries.map {
            line(of: $0, found, what, "remarked", isRefused: refusal != nil && $0.name == "base64_decimal")
        }
        return [counted] + rejected + remarked
    }

    private func line(of entry: ReasonCounts.Entry, _ found: RejectionWatch.Topic, _ what: String, _ verb: String, isRefused: Bool) -> Line
    {
        let place = InputFindings.place(entry.partition, entry.offset)
        // Digits that may be Base64 are most often what they show.
        let isMuch = entry.count * InputFindings.leastShare >= found.judged && entry.name != "ambiguous_decimal"
        return Line(
            weight: isRefused ? .refused : isMuch ? .warned : .told, what: what,
            finding: "\(entry.count) of \(found.judged) \(verb) as \(entry.reason), the last \(place)",
            cure: isOfForm(entry) ? "that follows from their form, which is named above" : RejectionCure.words(for: entry.reason)
        )
    }

    /// Whether what is wrong with so many records is that they are in a form that nothing reads.
    private func isOfForm(_ entry: ReasonCounts.Entry) -> Bool {
        // An event of another form is a JSON object without what a row has; all other forms are none.
        let isObject = entry.name == "missing_operation" || entry.name == "missing_field"
        guard isObject || entry.name == "malformed_json" || entry.name == "malformed_avro" else { return false }
        let ofForm = sample.signs.foreignForms.reduce(0) { RejectionCure.isObject(form: $1.key) == isObject ? $0 + $1.value.count : $0 }
        return UInt64(ofForm) >= entry.count
    }

    private static func place(_ partition: Int?, _ offset: Int64?) -> String {
        guard let partition, let offset else { return "somewhere" }
        return "at offset \(offset) of partition \(partition)"
    }

    private func refusal(ofStream stream: RejectionWatch.Topic) -> Refusal? {
        if isUseless(stream) { return .nothingUsable }
        // A decimal that shows what it is says that the others are single ones.
        let remarks = stream.counters.remarks
        return remarks.count(ofName: "base64_decimal") > 0 && TopicSample.usable(stream) <= remarks.count(ofName: "ambiguous_decimal")
            ? .base64 : nil
    }

    /// A table holds a row also without the decimals that it can't use.
    private func refusal(ofReference found: RejectionWatch.Topic) -> Refusal? {
        if isUseless(found) { return .nothingUsable }
        let remarks = found.counters.remarks
        let isMisread = remarks.entries.contains { entry in
            guard entry.name == "base64_decimal", let field = entry.field else { return false }
            return entry.count + (remarks["ambiguous_decimal:\(field)"]?.count ?? 0) >= TopicSample.usable(found)
        }
        return isMisread ? .base64 : nil
    }

    private func isUseless(_ found: RejectionWatch.Topic) -> Bool { found.judged > 0 && TopicSample.usable(found) == 0 }

    // MARK: - What the records themselves tell

    private var formLines: [Line] {
        let signs = sample.signs
        return signs.foreignForms.sorted { $0.key < $1.key }.map { form, sign in
            Line(
                weight: sign.count == signs.records ? .refused : .warned, what: what,
                finding: "\(sign.count) of \(signs.records) are \(form), the last \(InputFindings.place(sign.partition, sign.offset))",
                cure: RejectionCure.words(forForm: form)
            )
        }
    }

    private var keyLines: [Line] {
        let signs = sample.signs
        var lines: [Line] = []
        if signs.printedKeys.count > 0 {
            let isRefused = !sample.references.isEmpty && signs.printedKeys.count == signs.keys
            let place = InputFindings.place(signs.printedKeys.partition, signs.printedKeys.offset)
            lines.append(
                Line(
                    weight: isRefused ? .refused : .warned, what: what,
                    finding:
                        "\(signs.printedKeys.count) of \(signs.keys) keys were printed as Struct{…}, the last \(place), so that what is deleted can't be known by them",
                    cure: RejectionCure.words(for: "printed_struct")
                ))
        }
        guard signs.comparedKeys > 0 else { return lines }
        let others = signs.keysOfOthers
        guard others.count > 0 else {
            return lines + [
                Line(weight: .told, what: what, finding: "all \(signs.comparedKeys) keys that could be compared are the customers'")
            ]
        }
        let finding =
            "\(others.count) of \(signs.comparedKeys) keys are not the customer_id of their rows alone, the last \(InputFindings.place(others.partition, others.offset))"
        guard sample.partitions > 1 else {
            return lines + [Line(weight: .told, what: what, finding: finding + "; with its one partition all customers meet all the same")]
        }
        // Single ones may be of another producer; most of them are the topic's key.
        return lines + [
            Line(
                weight: others.count * 2 >= signs.comparedKeys ? .refused : .warned, what: what, finding: finding,
                cure: RejectionCure.wordsForKeys)
        ]
    }

    private var zoneLine: [Line] {
        guard let (minutes, sign) = sample.signs.zone else { return [] }
        let hours = "\(abs(minutes) / 60):\(abs(minutes) % 60 < 10 ? "0" : "")\(abs(minutes) % 60)"
        let zone = "\(minutes < 0 ? "-" : "+")\(abs(minutes) < 600 ? "0" : "")\(hours)"
        let cure =
            settings.form.zone == nil
            ? "if the database writes times without a zone, set input.timeZone to the zone of its clocks by name, such as Europe/Berlin, or, for clocks that are never put forward or back, to a fixed offset such as \"\(zone)\""
            : "input.timeZone does not seem to be the zone of the database's clocks"
        return [
            Line(
                weight: .refused, what: what,
                finding:
                    "the times of all \(sign.count) inserts are \(hours) hours \(minutes < 0 ? "behind" : "ahead of") Kafka's, the last \(InputFindings.place(sign.partition, sign.offset))",
                cure: cure
            )
        ]
    }
}
