import Configuration
import Foundation
import Logging

/// Where logs go: standard error, as text on a terminal and as JSON lines otherwise, unless `log.format` says which.
enum LogOutput {
    /// Sets the process's log up and returns the job's logger.
    static func start(_ section: LogSection, redactor: Redactor) throws -> Logger {
        let isText = switch section.format {
        case .auto: isatty(STDERR_FILENO) == 1
        case .text: true
        case .json: false
        }
        let level = Logger.Level(rawValue: section.level.rawValue) ?? .info
        LoggingSystem.bootstrap { label in
            LineLogHandler(label: label, isText: isText, redactor: redactor, logLevel: level)
        }
        return Logger(label: "tidemark")
    }
}

/// Writes one line a message to standard error.
struct LineLogHandler: LogHandler {
    let label: String
    let isText: Bool
    let redactor: Redactor
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let time = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        let text = redactor.redact(event.message.description)
        var line: String
        if isText {
            let details = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            line = "\(time) \(event.level.rawValue.uppercased()) \(text)\(redactor.redact(details))"
        } else {
            var fields = ["time": time, "level": event.level.rawValue, "logger": label, "message": text]
            for (key, value) in all where fields[key] == nil { fields[key] = redactor.redact("\(value)") }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            // Encoding texts can't fail; a line without its message would be worse than a plain one.
            line = (try? encoder.encode(fields)).map { String(decoding: $0, as: UTF8.self) } ?? text
        }
        line += "\n"
        FileHandle.standardError.write(Data(line.utf8))
    }
}
