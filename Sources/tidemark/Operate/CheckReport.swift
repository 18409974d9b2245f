import CommandLineParts
import Engine
import Logging

/// What was looked at, written as it comes: a line each.
final class CheckReport {
    /// Where the lines go.
    enum Place {
        /// Standard output, as a command's results.
        case results
        /// A worker's log.
        case log(Logger)
    }

    private let place: Place
    private(set) var findings = 0

    init(_ place: Place) { self.place = place }

    /// Writes an ok with its details, or what went wrong as a finding; nil in the latter case.
    func attempt<Value>(_ what: String, _ body: () throws -> Value, ok: (Value) -> String) -> Value? {
        do {
            let value = try body()
            self.ok(what, ok(value))
            return value
        } catch {
            finding(what, plainText(of: error))
            return nil
        }
    }

    func ok(_ what: String, _ text: String) { write(.info, "ok       \(what): \(text)") }

    func finding(_ what: String, _ text: String) {
        findings += 1
        let text = text.rest(after: "\(what): ").map(String.init) ?? text
        write(.error, "finding  \(what): \(Console.redact(text))")
    }

    /// What a run does not mind, and somebody should see to.
    func warning(_ what: String, _ text: String) { write(.warning, "warning  \(what): \(Console.redact(text))") }

    /// What could not be looked at, because of a finding that is written already, or because a worker has it.
    func skipped(_ what: String, _ reason: String) { write(.notice, "skipped  \(what): not looked at, because \(reason)") }

    private func write(_ level: Logger.Level, _ line: String) {
        switch place {
        case .results: Console.writeResult(line)
        case .log(let logger): logger.log(level: level, "\(line)")
        }
    }
}

/// Something that is no error of a part, but has to be seen to.
struct CheckFinding: Error, CustomStringConvertible {
    let description: String
}
