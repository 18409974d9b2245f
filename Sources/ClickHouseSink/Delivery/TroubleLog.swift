import Engine
import Logging
import Synchronization

/// Tells of a table's lasting trouble without flooding the log: a line when it begins, one when it comes to need
/// somebody, then one an interval.
final class TroubleLog {
    private let log: Logger
    private let status: TableStatusBox
    private let interval: Duration
    private var lastLine: (state: TableStatus.State, at: ContinuousClock.Instant)?
    private var suppressed = 0

    init(_ log: Logger, table: String, status: TableStatusBox, interval: Duration) {
        var named = log
        named[metadataKey: "table"] = "\(table)"
        self.log = named
        self.status = status
        self.interval = interval
    }

    /// Sets the table's state and last error, and logs unless it was said lately.
    func trouble(_ state: TableStatus.State, _ text: String) {
        status.update {
            $0.state = state
            $0.lastError = text
        }
        let now = ContinuousClock.now
        let needsSomebody = state == .stopped && lastLine?.state != .stopped
        if let last = lastLine, now - last.at < interval, !needsSomebody {
            suppressed += 1
            return
        }
        let more = suppressed > 0 ? " (and \(suppressed) more like it)" : ""
        if state == .stopped { log.error("\(text)\(more)") } else { log.warning("\(text)\(more)") }
        lastLine = (state, now)
        suppressed = 0
    }

    /// Something that happens once and must not be missed.
    func notice(_ text: String) { log.notice("\(text)") }
    func warning(_ text: String) { log.warning("\(text)") }

    /// The trouble is over: the next one is told at once.
    func recovered() {
        if lastLine != nil { log.notice("delivering again") }
        lastLine = nil
        suppressed = 0
    }
}

/// A table's status, written by its delivering thread and read by any.
final class TableStatusBox: Sendable {
    private let status: Mutex<TableStatus>

    init(table: String) { status = Mutex(TableStatus(table: table)) }

    var current: TableStatus { status.withLock { $0 } }
    func update(_ change: (inout TableStatus) -> Void) { status.withLock { change(&$0) } }
}
