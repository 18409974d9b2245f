import Engine
import SQLiteState

/// How verbs show a record: where it lies, then its fields.
struct RecordRows {
    let table: StoredTable

    var columns: [ReportColumn] {
        table.columns.map { column in
            switch column.content {
            case .partition: ReportColumn("partition")
            case .window: ReportColumn("window")
            case .key: ReportColumn("key")
            case .timer: ReportColumn("timer")
            case .field: ReportColumn(column.name, in: "record")
            }
        }
    }

    func cells(_ row: StateRow) throws -> [Cell] {
        let fields = try row.values()
        return table.columns.map { column in
            switch column.content {
            case .partition: .count(row.partition)
            case .window: .time(row.window)
            case .key: .text(StateText.key(row.key))
            case .timer: .time(row.timer)
            case .field(let index): Cell(fields[index])
            }
        }
    }
}
