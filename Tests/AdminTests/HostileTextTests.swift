import Engine
import Foundation
import Testing

@testable import Admin

@Suite("Status page: texts of others stay texts, whatever stands before or behind their signs")
struct HostileTextTests {
    /// Marks that Swift, and no browser, counts as one character with the sign beside them.
    static let marks = ["", "\u{600}", "\u{301}", "\u{20DD}", "\u{FE0F}", "\u{200D}", "\u{E0067}"]

    @Test(arguments: marks, ["<", ">", "&", "\"", "'"])
    func aSignIsEscapedBesideAnyMark(mark: String, sign: String) {
        for text in [mark + sign, sign + mark, mark + sign + mark] {
            let escaped = HTMLText.escaped(text)
            #expect(!escaped.utf8.contains { $0 == sign.utf8.first && $0 != UInt8(ascii: "&") }, "\(escaped)")
            #expect(escaped.unicodeScalars.count > text.unicodeScalars.count)
        }
    }

    @Test func thePageHasNoMarkupOfOthers() throws {
        let (harmless, hostile) = (try HostileSnapshot.with("a b"), try HostileSnapshot.with(HostileSnapshot.markup))
        for canLogIn in [false, true] {
            let expected = Array(StatusPage(snapshot: harmless, canLogIn: canLogIn).html.utf8)
            let page = Array(StatusPage(snapshot: hostile, canLogIn: canLogIn).html.utf8)
            for sign in "<>\"".utf8 {
                #expect(page.count { $0 == sign } == expected.count { $0 == sign }, "\(UnicodeScalar(sign))")
            }
            #expect(page.allSatisfy { $0 >= 0x20 || $0 == 0x0A || $0 == 0x09 }, "no control characters")
        }
    }

    @Test func metricsHaveNoLineOrLabelOfOthers() throws {
        let (harmless, hostile) = (try HostileSnapshot.with("a b"), try HostileSnapshot.with(HostileSnapshot.markup))
        let expected = MetricsText(harmless).text.utf8.split(separator: 0x0A)
        let lines = MetricsText(hostile).text.utf8.split(separator: 0x0A)
        #expect(lines.count == expected.count)
        for (line, expected) in zip(lines, expected) where expected.first != UInt8(ascii: "#") {
            #expect(labels(line) == labels(expected), "\(String(line) ?? "")")
            #expect(line.allSatisfy { $0 >= 0x20 }, "no control characters")
        }
    }

    /// The names of a line's labels, read as Prometheus does: a value ends with the first quote that no backslash stands before.
    private func labels(_ line: Substring.UTF8View) -> [String] {
        var names: [String] = []
        var name = ""
        var isValue = false
        var isEscaped = false
        for byte in line {
            if isValue {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isValue = false
                }
            } else if byte == UInt8(ascii: "\"") {
                names.append(name)
                name = ""
                isValue = true
            } else {
                name.unicodeScalars.append(UnicodeScalar(byte))
            }
        }
        return names + [isValue ? "open" : name]
    }

    @Test func theJSONIsTheSnapshot() throws {
        let hostile = try HostileSnapshot.with(HostileSnapshot.markup)
        let handler = StatusHandler(PageAccess(place: .loopback, bound: "127.0.0.1"), endings: { [] }, snapshot: { hostile })
        let body = handler.answer(RequestHead(path: "/status")) { nil }.body.text
        #expect(!body.unicodeScalars.contains { $0.isUnprintable && $0 != "\n" }, "a terminal shows it as it is")
        #expect(try JSONDecoder().decode(StatusSnapshot.self, from: Data(body.utf8)).partitions == hostile.partitions)
        #expect(body.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x0A }, "no control characters")
    }

    @Test(arguments: [Int64.min, -1, 0, .max], [UInt64(0), .max])
    func numbersAtTheirLimitsAreShown(signed: Int64, unsigned: UInt64) throws {
        let snapshot = HostileSnapshot.withNumbersAtTheirLimits(signed, unsigned)
        #expect(StatusPage(snapshot: snapshot).html.contains("</html>") && MetricsText(snapshot).text.contains("tidemark_partition_lag"))
        #expect(try JSONDecoder().decode(StatusSnapshot.self, from: JSONEncoder().encode(snapshot)) == snapshot)
    }

    /// What a request says is repeated in no answer.
    @Test func noAnswerRepeatsTheRequest() throws {
        let snapshot = StatusServerTests.snapshot()
        let handler = StatusHandler(
            PageAccess(place: .loopback, bound: "127.0.0.1", token: "a token of a test"), endings: { [] }, snapshot: { snapshot })
        for request in [
            RequestHead(path: "/marker"), RequestHead(method: "marker", path: "/"), RequestHead(path: "/", hosts: ["marker"]),
            RequestHead(path: "/", authorizations: ["Bearer marker"]), RequestHead(path: "/", origins: ["http://marker"]),
        ] {
            let answer = handler.answer(request) { nil }
            #expect(
                answer.status >= 400 && !answer.body.text.contains("marker") && !answer.headers.contains { $0.value.contains("marker") })
        }
    }
}
