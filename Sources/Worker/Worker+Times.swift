import Engine
import Logging

extension Worker {
    /// What the start took before there was a worker.
    package func note(_ times: StartTimes) {
        publish { status in
            for entry in times.entries { status.start.add(entry.part, entry.time) }
        }
    }

    func note(_ part: StartPart, _ time: Duration) { publish { $0.start.add(part, time) } }

    func timed<Result>(_ part: StartPart, _ body: () throws -> Result) rethrows -> Result {
        let start = Clock.now
        let result = try body()
        note(part, Clock.now - start)
        return result
    }

    /// Logs what the start took. `epoch`: that of the state; nil for a new one. `record`: when the first record was processed,
    /// from the beginning of reading; nil when none has come in a while.
    func tellStart(from epoch: Epoch?, record: Duration?) {
        if let record { note(.firstRecord, record) }
        let times = status.start
        let from = epoch.map { "going on from epoch \($0)" } ?? "beginning anew"
        let what = record == nil ? "no record has come yet; reading began" : "the first record was processed"
        logger.info("\(from): \(what) \(times.total(without: .wait).text) after the state directory was this worker's (\(times.text))")
    }

    /// Logs what the drain took, when there was one.
    func tellDrain() {
        let times = status.drain
        guard !times.isEmpty else { return }
        logger.info("drained in \(times.total().text) (\(times.text))")
    }
}
