import ClickHouseSink
import CommandLineParts
import Engine

/// Looks at a job's tables and views in ClickHouse as a start would, changing nothing.
struct TableCheck {
    let parts: JobParts
    let report: CheckReport

    /// `tables`: as the state knows them.
    func run(_ tables: [SinkTable], _ intent: StartIntent) {
        let reached = report.attempt("ClickHouse") {
            let sink = try parts.makeSink()
            return (sink, try sink.look(at: tables, for: intent))
        } ok: { _ in
            "\(parts.clickHouseSettings.url), database \(parts.clickHouseSettings.database)"
        }
        guard let (sink, reports) = reached else { return report.skipped("tables", "ClickHouse is a finding") }
        for table in reports { tell(of: table, intent) }
        let creates = parts.clickHouseSettings.createTables
        _ = report.attempt("views", { try sink.missingViews() }) { missing in
            missing.isEmpty
                ? counted(parts.topology.views.count, "view", "views")
                : "\(missing.count) of \(parts.topology.views.count) are not there; `tidemark tables`\(creates ? " or a run" : "") creates them"
        }
    }

    private func tell(of table: TableReport, _ intent: StartIntent) {
        let what = "table \(table.table)"
        switch table.standing {
        case .fits(let partitioning): report.ok(what, "by \(partitioning.rawValue), fits\(intent.comparesLedger ? " the state" : "")")
        case .absent: report.ok(what, "none yet; a run creates it")
        case .unfit(let error): report.finding(what, plainText(of: error))
        }
        for notice in table.notices { report.ok(what, notice) }
    }
}
