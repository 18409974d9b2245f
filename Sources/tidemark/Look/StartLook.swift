import CommandLineParts
import Engine
import FintechJob
import Logging

/// The look at the newest records with which a job begins: a start that would misread all of a topic is refused before anything is read.
struct StartLook {
    let parts: JobParts
    let logger: Logger

    /// Whether a start looks: the first of a job, and the first of a version of the job that reads records otherwise than the one that
    /// wrote the state. `version`: of the job of which a start looked last; nil when none did.
    static func isDue(after version: Int?) -> Bool {
        version.map { $0 < FintechJob.firstVersionOfStatedOperations } ?? true
    }

    /// Throws `invalid` when records of a topic would all be misread; the log then says which, a line each, and what to set. A look that
    /// could not be made, or not at every partition, is told of, refuses nothing, and is to be made by the next start: then this returns
    /// false.
    func requireReadable() throws -> Bool {
        var quiet = parts
        quiet.logger.logLevel = max(parts.logger.logLevel, .warning)
        let found: InputLook.Found
        do {
            found = try InputLook(parts: quiet).look(at: parts.topology.topics)
        } catch {
            logger.warning(
                "the newest records could not be looked at before the job begins, so nothing is known of their form: \(plainText(of: error))"
            )
            return false
        }
        let untold = Set(found.unread + found.failures.keys).sorted()
        if let first = untold.first {
            logger.warning(
                "the newest records of \(counted(untold.count, "partition", "partitions")), \(first) first, could not be looked at within \(InputLook.limit) before the job begins, so nothing is known of their form"
            )
        }
        let lines = found.samples.map { InputFindings(sample: $0, settings: parts.jobSettings).lines }
        let warned = lines.flatMap { InputFindings.sayingOnce($0.filter { $0.weight == .warned }) }
        for line in warned { logger.warning("\(line.what): \(line.text)") }
        let refused = lines.flatMap { InputFindings.sayingOnce($0.filter { $0.weight == .refused }) }
        for line in refused { logger.error("\(line.what): \(line.text)") }
        guard refused.isEmpty else {
            let which = refused.count == 1 ? "the error above says" : "the \(refused.count) errors above say"
            throw CommandError(
                .invalid, "the job is not begun, because it would misread its input, as \(which); nothing was read or written")
        }
        return untold.isEmpty
    }
}
