import Engine
import FintechJob
import TestSupport

/// Runs the job over a few rows given as JSON.
enum JobRun {
    /// The rows of `table` after a bounded run over one partition of each stream.
    static func rows(
        of table: String, transactions: [String] = [], sessions: [String] = [], settings: FintechSettings = FintechSettings.ofInserts
    ) throws -> [GoldenRow] {
        let topology = FintechJob.topology(settings: settings)
        let run = TopologyRun(topology)
        try run.run { topic in
            let lines =
                topic == settings.topicPrefix + "transactions"
                ? transactions : topic == settings.topicPrefix + "customer_sessions" ? sessions : []
            return [lines.map { Array($0.utf8) }]
        }
        return try GoldenRow.rows(of: topology.tables.first { $0.name == table }!, in: run.chunks)
    }

    /// A transaction of customer `c` at some milliseconds after 1970, with more fields as JSON.
    static func transaction(
        _ amount: String = "1.00", at milliseconds: Int64 = 0, type: String = "t", status: String = "completed", _ more: String = ""
    ) -> String {
        #"{"id":"i","customer_id":"c","amount":"\#(amount)","created_at":\#(milliseconds),"transaction_type":"\#(type)","status":"\#(status)"\#(more.isEmpty ? "" : ",")\#(more)}"#
    }

    /// A session of customer `c`.
    static func session(_ id: String, at milliseconds: Int64 = 0, _ more: String = "") -> String {
        #"{"id":"\#(id)","customer_id":"c","started_at":\#(milliseconds)\#(more.isEmpty ? "" : ",")\#(more)}"#
    }
}
