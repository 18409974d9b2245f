import ClickHouseSink
import CommandLineParts
import Engine

/// What this version of the job needs of its tables in ClickHouse, as `schemas` answers it.
struct TableNeeds {
    let parts: JobParts

    /// A JSON object: `problem`, why the tables can't be looked at, or null, and `tables`, each with `table`, `standing` (`fits`,
    /// `create`, `alter`), and `details`, what has to be done or can be.
    ///
    /// - Parameter known: what any version of the job has declared.
    func json(_ tables: [OutputTable], known: [OutputTable]) -> String {
        let wanted = tables.map { table in
            SinkTable(
                table: table, lineage: .first, lastFrozen: nil, isNewState: false, knownLayouts: known.filter { $0.name == table.name })
        }
        do {
            let reports = try parts.makeSink().look(at: wanted, for: FoundState.running.intent)
            return TableNeeds.json(problem: nil, reports.map(TableNeeds.json))
        } catch {
            return TableNeeds.json(problem: Console.redact(plainText(of: error)), [])
        }
    }

    private static func json(problem: String?, _ tables: [String]) -> String {
        "{\"problem\":\(problem.map(quotedJSON) ?? "null"),\"tables\":[\(tables.joined(separator: ","))]}"
    }

    private static func json(_ report: TableReport) -> String {
        let standing =
            switch report.standing {
            case .fits: "fits"
            case .absent: "create"
            case .unfit: "alter"
            }
        let details = (report.lines + report.notices).map { quotedJSON(Console.redact($0)) }.joined(separator: ",")
        return "{\"table\":\(quotedJSON(report.table)),\"standing\":\"\(standing)\",\"details\":[\(details)]}"
    }
}
