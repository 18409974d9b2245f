import CommandLineParts
import Configuration
import Engine
import Foundation
import Logging

/// Where logs go: standard error, as text on a terminal and as JSON lines otherwise, unless `log.format` says which.
enum LogOutput {
    /// Sets the process's log up and returns the job's logger. Called once.
    static func start(_ section: LogSection, redactor: Redactor) -> Logger {
        Console.hide(with: redactor)
        let isText =
            switch section.format {
            case .auto: Console.errorIsTerminal
            case .text: true
            case .json: false
            }
        let level = Logger.Level(rawValue: section.level.rawValue) ?? .info
        LoggingSystem.bootstrap { LineLogHandler(label: $0, isText: isText, logLevel: level) }
        return Logger(label: "tidemark")
    }
}

/// Writes one line a message to standard error, without secrets.
struct LineLogHandler: LogHandler {
    let label: String
    let isText: Bool
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { fields["error"] = "\(error)" }
        let line = LogLine(
            time: .now, level: event.level, label: label, message: Console.redact(event.message.description),
            fields: fields.map { ($0.key, Console.redact($0.value.description)) }.sorted { $0.0 < $1.0 }
        )
        Console.writeLog(isText ? line.text : line.json)
    }
}

/// One line of a log.
struct LogLine {
    let time: WallTime
    let level: Logger.Level
    let label: String
    let message: String
    let fields: [(key: String, value: String)]

    /// `12:00:00.250 info  worker: message key=value`
    var text: String {
        let level = level.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
        let fields = fields.map { " \($0.key)=\($0.value.printable)" }.joined()
        return "\(time.timeOfDay) \(level) \(label): \(message.printable)\(fields)"
    }

    /// One object a line: `time`, `level`, `logger`, `message`, and the fields under their own names below `fields`.
    var json: String {
        var object =
            "{\"time\":\"\(time.text)\",\"level\":\"\(level.rawValue)\",\"logger\":\(quotedJSON(label)),\"message\":\(quotedJSON(message))"
        if !fields.isEmpty {
            object += ",\"fields\":{" + fields.map { "\(quotedJSON($0.key)):\(quotedJSON($0.value))" }.joined(separator: ",") + "}"
        }
        return object + "}"
    }
}
