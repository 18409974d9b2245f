import Engine
import FintechJob
import TestSupport
import Testing

/// A line of a table of decoder cases: what goes in, and what must come out.
///
/// ```
/// amount: "12,50" => rejected bad_value:amount
/// status: "failed"; fee_amount: - => event status=failed fee=0
/// value: {"op":"d","before":null} => skipped delete
/// ```
/// The line gives fields of an otherwise plain row (`-` leaves the field out) or, after `value:`, the whole value. In it
/// `$row` stands for the plain row, `\xHH` for a byte, `<<text*count>>` for a text so many times over. An expected event
/// names only the fields that matter.
struct DecoderCase: CustomTestStringConvertible, Sendable {
    let line: String
    let value: [UInt8]
    let expected: String

    var testDescription: String { line }

    /// The cases of a table: one a line, empty lines and those that start with `#` left out.
    static func table(_ text: String, plainRow: [(String, String)]) -> [DecoderCase] {
        text.split(separator: "\n").map { String($0) }.filter { !$0.isEmpty && !$0.hasPrefix("#") }.map { line in
            guard let arrow = line.range(of: " => ", options: .backwards) else { fatalError("a case without ' => ': \(line)") }
            let input = String(line[..<arrow.lowerBound])
            return DecoderCase(line: line, value: value(of: input, plainRow), expected: String(line[arrow.upperBound...]))
        }
    }

    private static func value(of input: String, _ plainRow: [(String, String)]) -> [UInt8] {
        if input.hasPrefix("value:") {
            return expanded(String(input.dropFirst(6)).trimmingSpace().replacing("$row", with: json(plainRow)))
        }
        var row = plainRow
        for part in input.split(separator: "; ") {
            let (name, text) = part.splitOnce(at: ": ")
            row.removeAll { $0.0 == name }
            if text != "-" { row.append((String(name), String(text))) }
        }
        return expanded(json(row))
    }

    private static func json(_ row: [(String, String)]) -> String {
        "{" + row.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    /// Replaces `<<text*count>>` and `\xHH`.
    private static func expanded(_ text: String) -> [UInt8] {
        let repeated = text.replacing(/<<(.+?)\*(\d+)>>/) { String(repeating: String($0.1), count: Int($0.2)!) }
        var bytes: [UInt8] = []
        var rest = Substring(repeated)
        while let match = rest.firstMatch(of: /\\x([0-9a-fA-F]{2})/) {
            bytes += Array(rest[..<match.range.lowerBound].utf8)
            bytes.append(UInt8(match.1, radix: 16)!)
            rest = rest[match.range.upperBound...]
        }
        return bytes + Array(rest.utf8)
    }

    /// Checks an outcome: for an event, that it holds the expected fields; else that it is the expected one.
    func check(_ outcome: DecoderOutcome, sourceLocation: SourceLocation = #_sourceLocation) {
        guard expected.hasPrefix("event") else {
            #expect(outcome.text == expected, sourceLocation: sourceLocation)
            return
        }
        guard case .event(let fields) = outcome else {
            Issue.record("\(outcome.text) instead of an event", sourceLocation: sourceLocation)
            return
        }
        for field in expected.split(separator: " ").dropFirst() {
            let (name, text) = field.splitOnce(at: "=")
            #expect(fields[String(name)] == String(text), "\(name)", sourceLocation: sourceLocation)
        }
    }
}

extension StringProtocol where SubSequence == Substring {
    func splitOnce(at separator: String) -> (Substring, Substring) {
        guard let range = self[...].firstRange(of: separator) else { fatalError("'\(self)' has no '\(separator)'") }
        return (self[..<range.lowerBound], self[range.upperBound...])
    }

    func trimmingSpace() -> String {
        String(self[...].trimmingPrefix(while: { $0 == " " }))
    }
}
