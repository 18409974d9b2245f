import Engine

/// A snapshot as one HTML page that needs nothing from anywhere else.
struct StatusPage {
    let snapshot: StatusSnapshot
    /// Whether somebody who has the token would be shown more.
    var canLogIn = false

    var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="refresh" content="2">
        <title>\(escaped(snapshot.job)) · Tidemark</title>
        <style>\(StatusPage.style)</style>
        </head>
        <body>
        <header>
        <h1>\(escaped(snapshot.job))</h1>
        <span class="phase \(snapshot.phase.rawValue)">\(snapshot.phase.rawValue)</span>
        <span class="quiet">Tidemark \(escaped(snapshot.version)), up \(duration(snapshot.uptimeSeconds))</span>
        </header>
        \(figures)
        \(problems)
        \(times("Start", snapshot.start))
        \(times("Drain", snapshot.drain))
        \(partitions)
        \(tables)
        \(references)
        \(reasons)
        <footer><a href="/status">status as JSON</a> · <a href="/metrics">metrics</a>\(canLogIn ? " · <a href=\"/login\">log in</a> to be shown what may quote records" : "")</footer>
        </body>
        </html>

        """
    }

    private var figures: String {
        let lags = snapshot.partitions.compactMap(\.lag)
        let waiting = sum(snapshot.tables.flatMap { [$0.pendingRows, $0.frozenRows] })
        let figures = [
            ("Epoch", "\(snapshot.epoch)"), ("Lineage", "\(snapshot.lineage)"),
            ("Commit", "\(rounded(snapshot.lastCommitMilliseconds)) ms"),
            ("Records", grouped(sum(snapshot.partitions.map { Int(clamping: $0.records) }))),
            ("Lag", lags.isEmpty ? "–" : grouped(sum(lags.map { Int($0) }))), ("Rows waiting", grouped(waiting)),
            ("State", "\(megabytes(snapshot.memory.stateBytes)) of \(megabytes(snapshot.memory.stateBudget))"),
            ("Memory", megabytes(snapshot.memory.residentBytes)), ("Reading", snapshot.isReadingHeld ? "held back" : "open"),
            ("Checkpoint", snapshot.checkpoint.map { "\($0.number), epoch \($0.epoch)" } ?? "–"),
        ]
        return "<dl>" + figures.map { "<div><dt>\($0)</dt><dd>\(escaped($1))</dd></div>" }.joined() + "</dl>"
    }

    private var problems: String {
        guard !snapshot.problems.isEmpty else { return "" }
        let items = snapshot.problems.map { "<li><time>\(time($0.time))</time> \(escaped($0.message))</li>" }
        return "<section class=\"problems\"><h2>Problems (times in UTC)</h2><ul>\(items.joined())</ul></section>"
    }

    /// What a start or a drain took; nothing before its first part is over.
    private func times(_ title: String, _ times: [StatusSnapshot.PartTime]) -> String {
        guard !times.isEmpty else { return "" }
        let parts = times.map { "\(escaped($0.part)) \(milliseconds($0.seconds))" }.joined(separator: ", ")
        return "<p class=\"quiet\">\(title): \(parts)</p>"
    }

    /// At most what an Int holds: offsets and counts are what brokers and state files say.
    private func sum(_ numbers: [Int]) -> Int {
        numbers.reduce(0) { sum, number in
            let (result, isOver) = sum.addingReportingOverflow(number)
            return isOver ? (number < 0 ? .min : .max) : result
        }
    }

    private func milliseconds(_ seconds: Double) -> String { "\(grouped(Int((seconds * 1000).rounded())))\u{202F}ms" }

    private var partitions: String {
        let rows = snapshot.partitions.map { partition in
            row([
                escaped(partition.topic), "\(partition.partition)", partition.nextOffset.map { grouped(Int(clamping: $0)) } ?? "–",
                partition.lag.map { grouped(Int(clamping: $0)) } ?? "–", partition.watermark.map(time) ?? "–",
                partition.openTransactionSeconds.map { "open transaction for \(grouped(Int($0)))\u{202F}s" }
                    ?? (partition.isIdle ? "idle" : "read"),
                grouped(Int(clamping: partition.records)), skipped(partition), grouped(Int(clamping: partition.rejected)),
                grouped(Int(clamping: partition.late)),
            ])
        }
        return table(
            "Partitions",
            ["Topic", "Partition", "Next offset", "Lag", "Watermark (UTC)", "State", "Records", "Skipped", "Rejected", "Late"], rows)
    }

    /// How many records were passed over, and why when there are any.
    private func skipped(_ partition: StatusSnapshot.Partition) -> String {
        let reasons = partition.skipped.sorted { $0.key < $1.key }
        guard !reasons.isEmpty else { return "0" }
        let total = grouped(sum(reasons.map { Int(clamping: $0.value) }))
        return total
            + " <span class=\"quiet\">(\(reasons.map { "\(escaped($0.key)) \(grouped(Int(clamping: $0.value)))" }.joined(separator: ", ")))</span>"
    }

    private var tables: String {
        let rows = snapshot.tables.map { table in
            row([
                escaped(table.name), grouped(table.pendingRows), grouped(table.frozenBatches), grouped(table.frozenRows),
                "\(table.lastDeliveredBatch)", grouped(Int(clamping: table.rowsDelivered)), table.delivery.rawValue,
            ])
        }
        return table(
            "Tables", ["Table", "Rows gathering", "Batches waiting", "Rows in them", "Last batch delivered", "Rows delivered", "Delivery"],
            rows)
    }

    /// Nothing for a job without reference topics.
    private var references: String {
        guard !snapshot.references.isEmpty else { return "" }
        let rows = snapshot.references.map { reference in
            row([
                escaped(reference.name), escaped(reference.topic), grouped(reference.keys), megabytes(reference.memoryBytes),
                grouped(Int(clamping: reference.records)), unusable(reference),
                "\(grouped(Int(clamping: reference.loaded))) of \(reference.toLoad.map { grouped(Int(clamping: $0)) } ?? "–")",
            ])
        }
        return table("Reference tables", ["Table", "Topic", "Keys", "Memory", "Records", "Unusable", "Read at the start"], rows)
    }

    /// Why records were rejected or remarked on; nothing while none was.
    private var reasons: String {
        guard !snapshot.reasons.isEmpty else { return "" }
        let rows = snapshot.reasons.map { reason in
            let place =
                reason.offset.map { "offset \(grouped(Int(clamping: $0)))" + (reason.partition.map { " of partition \($0)" } ?? "") } ?? "–"
            return row([escaped(reason.topic), reason.kind.rawValue, escaped(reason.reason), grouped(Int(clamping: reason.count)), place])
        }
        return table("Rejected and remarked", ["Topic", "Kind", "Reason", "Records", "Last at"], rows)
    }

    /// How many records could not be used, and of which fields and why, with the last place of each.
    private func unusable(_ reference: StatusSnapshot.Reference) -> String {
        let total = grouped(Int(clamping: reference.unusable))
        let defects = reference.defects.map { defect in
            let what = escaped(defect.field.map { "\(defect.reason):\($0)" } ?? defect.reason)
            return
                "\(what) \(grouped(Int(clamping: defect.count))), last at offset \(grouped(Int(clamping: defect.offset))) of partition \(defect.partition)"
        }
        return defects.isEmpty ? total : total + " <span class=\"quiet\">(\(defects.joined(separator: "; ")))</span>"
    }

    // MARK: - Pieces

    private func table(_ title: String, _ head: [String], _ rows: [String]) -> String {
        let head = head.map { "<th>\($0)</th>" }.joined()
        let body = rows.isEmpty ? "<tr><td colspan=\"10\" class=\"quiet\">none yet</td></tr>" : rows.joined()
        return "<section><h2>\(title)</h2><table><thead><tr>\(head)</tr></thead><tbody>\(body)</tbody></table></section>"
    }

    private func row(_ cells: [String]) -> String { "<tr>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>\n" }

    private func escaped(_ text: String) -> String { HTMLText.escaped(text) }

    /// `2025-01-15 12:00:00`, in UTC.
    private func time(_ milliseconds: Int64) -> String {
        let date = CivilDate(daysSince1970: milliseconds.floorDivided(by: 86_400_000))
        let second = milliseconds.floorRemainder(by: 86_400_000) / 1000
        let parts = [second / 3600, second / 60 % 60, second % 60].map { padded($0) }
        return "\(date.year)-\(padded(date.month))-\(padded(date.day)) \(parts.joined(separator: ":"))"
    }

    private func padded(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// `1 234 567`, with narrow spaces that don't break.
    private func grouped(_ number: Int) -> String {
        let digits = Array(String(number))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0 && (digits.count - index) % 3 == 0 && digits[index - 1] != "-" { text += "\u{202F}" }
            text.append(digit)
        }
        return text
    }

    private func megabytes(_ bytes: Int) -> String { "\(grouped((bytes + (1 << 19)) >> 20)) MiB" }

    private func rounded(_ number: Double) -> String { "\((number * 10).rounded() / 10)" }

    private func duration(_ seconds: Double) -> String {
        let whole = Int(seconds)
        return whole >= 3600 ? "\(whole / 3600) h \(whole / 60 % 60) min" : whole >= 60 ? "\(whole / 60) min \(whole % 60) s" : "\(whole) s"
    }

    static let style = """
        :root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 15%,transparent)}
        body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
        header{display:flex;align-items:baseline;gap:1rem}h1{font-size:1.6rem;margin:0}h2{font-size:1rem;margin:2rem 0 .5rem}
        .quiet,footer,dt,th{opacity:.65}.phase{padding:.1rem .6rem;border-radius:1rem;background:#888;color:#fff;font-size:.85rem}
        .phase.running{background:#187a4b}.phase.draining{background:#a86a00}
        dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));gap:.75rem;margin:1.5rem 0}
        dl div{border:1px solid var(--line);border-radius:.5rem;padding:.5rem .75rem}dt{font-size:.8rem}dd{margin:0;font-size:1.1rem;font-variant-numeric:tabular-nums}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:right;padding:.3rem .5rem;border-bottom:1px solid var(--line)}
        th{font-weight:500;font-size:.8rem}th:first-child,td:first-child{text-align:left}
        .problems{border-left:3px solid #b3261e;padding-left:1rem}.problems ul{padding:0;list-style:none}time{opacity:.65}footer{margin:2rem 0;font-size:.85rem}
        """
}

/// Foreign text inside HTML: between tags, or as an attribute's value in quotes.
enum HTMLText {
    /// Without control characters, which HTML doesn't know, and without marks that turn the direction of the text around them.
    static func escaped(_ text: String) -> String {
        text.printable.escaped { byte in
            switch byte {
            case UInt8(ascii: "&"): "&amp;"
            case UInt8(ascii: "<"): "&lt;"
            case UInt8(ascii: ">"): "&gt;"
            case UInt8(ascii: "\""): "&quot;"
            case UInt8(ascii: "'"): "&#39;"
            default: nil
            }
        }
    }
}
