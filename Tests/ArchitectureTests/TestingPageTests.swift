import Foundation
import Testing

@Suite("docs/TESTING.md names tests that there are")
struct TestingPageTests {
    @Test func everyTestThatIsNamedIsThere() throws {
        let page = try String(contentsOfFile: "\(Repository.root)/docs/TESTING.md", encoding: .utf8)
        let files = try Repository.files(below: "Tests", endings: ["swift"])
        let named = page.matches(of: /`(\w+Tests)\.(\w+)`/)
        #expect(named.count > 20)
        for match in named {
            let (suite, test) = (String(match.1), String(match.2))
            let isThere = files.contains { file in
                file.path.hasSuffix("/\(suite).swift") && file.lines.contains { $0.contains("func \(test)(") }
            }
            #expect(isThere, "\(suite) has no test \(test)")
        }
    }
}
