import ClickHouseSink
import Engine
import Logging

/// What `run --wait` looks at while the worker before it still runs, so that nothing stands in the way once that has stopped.
struct Preflight {
    let parts: JobParts
    let takesOver: Bool
    let endsBeforeRepartition: Bool

    /// Looks at what `check` looks at, and writes it to the log. True when nothing is in the way: then the tables that are missing
    /// are made, and `sink` needs no server to open. Throws when that fails.
    func passes(_ sink: ClickHouseSink) throws -> Bool {
        let logger = parts.logger
        var quiet = parts
        // The findings say it all; what the parts tell about themselves belongs to the start.
        quiet.logger.logLevel = max(logger.logLevel, .warning)
        let report = CheckReport(.log(logger))
        let check = JobCheck(
            parts: quiet, report: report, takesOver: takesOver, endsBeforeRepartition: endsBeforeRepartition)
        let tables = try check.run()
        guard report.findings == 0 else {
            logger.critical(
                "\(report.findings == 1 ? "1 finding is" : "\(report.findings) findings are") in the way, so that this version does not wait for the worker that has the state: that one may go on. See to what the lines above say, then start this one again"
            )
            return false
        }
        try sink.prepare(tables)
        return true
    }
}
