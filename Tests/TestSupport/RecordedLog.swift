import Logging
import Synchronization

/// What was logged, for tests that wait for it or look at it.
package final class RecordedLog: Sendable {
    private let kept = Mutex<[String]>([])

    package init() {}

    /// A line each, as `level: message`.
    package var lines: [String] { kept.withLock { $0 } }
    package var text: String { lines.joined(separator: "\n") }
    package var logger: Logger { Logger(label: "test") { [self] _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.kept.withLock { $0.append("\(event.level): \(event.message)") }
        }
    }
}
