import Foundation
import Testing

@Suite("Style: files are short, finished and stand alone")
struct StyleTests {
    static let roots = ["Sources", "Examples", "Tests", "tools", "docs", ".ci", "checkpoints"]
    static let endings: Set<String> = ["swift", "h", "c", "modulemap", "md", "py", "sh", "yaml", "yml", "xml", ""]

    static func files() throws -> [SourceFile] {
        try roots.flatMap { try Repository.files(below: $0, endings: endings) }
            + ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Package.swift"].map { name in
                SourceFile(path: name, text: try String(contentsOfFile: "\(Repository.root)/\(name)", encoding: .utf8))
            }
    }

    @Test func everyFileKeepsTheRules() throws {
        let files = try StyleTests.files()
        #expect(files.count > 60, "the files were not found below \(Repository.root)")
        #expect(files.flatMap(StyleRules.violations) == [])
    }

    /// A link to another page leads to it from where its own page lies.
    @Test func linksBetweenPagesLead() throws {
        for page in try StyleTests.files() where page.path.hasSuffix(".md") {
            for text in page.lines {
                for match in text.matches(of: /\]\(((?:\.\.\/)*[\w.\/+-]+\.md)(?:#[\w-]+)?\)/) {
                    let place = URL(fileURLWithPath: "\(Repository.root)/\(page.path)").deletingLastPathComponent().appendingPathComponent(
                        String(match.1))
                    #expect(FileManager.default.fileExists(atPath: place.path), "\(page.path) links to \(match.1), which is not there")
                }
            }
        }
    }

    /// `Sources/…`, `docs/…` and the like in backticks or links, wherever a page names a place of the repository.
    @Test func pagesNameOnlyPlacesThatExist() throws {
        for page in try StyleTests.files() where page.path.hasSuffix(".md") {
            for text in page.lines {
                for match in text.matches(of: /(?:`|\]\()((?:Sources|Examples|Tests|docs|tools|checkpoints)\/[\w.\/+-]+)/) {
                    let place = "\(Repository.root)/\(match.1)"
                    #expect(FileManager.default.fileExists(atPath: place), "\(page.path) names \(match.1), which is not there")
                }
            }
        }
    }

    @Test func filesAreShort() throws {
        let lengths = try Repository.files(below: "Sources", endings: ["swift"]).map(\.lines.count).sorted()
        #expect(lengths[lengths.count / 2] < 120, "the median of the sources' lengths")
    }

    @Test func noFolderHasAVagueName() throws {
        let folders = try ["Sources", "Tests", "tools"].flatMap(Repository.folders)
        #expect(folders.filter { StyleRules.vagueFolders.contains(URL(fileURLWithPath: $0).lastPathComponent.lowercased()) } == [])
    }

    @Test(arguments: [
        "// TO" + "DO: later", "let a = 1  // FIX" + "ME", "let path = \"/wo" + "rk/main\"", "final class A: @unchecked Sendable {}",
        "/// A thing.\nfinal class A: @unchecked Sendable {}", "let b = key.hashValue", "var hasher = Hasher()",
        "let a = name.hasPrefix(\"tag:\")", "let a = names.contains(where: name.hasPrefix)", "for character in text {}",
        "let a = text.split(separator: \"/\")", "let a = text.contains(\"<\")", "let a = text.firstIndex(of: \"=\")",
        String(repeating: "\n", count: 501), "package struct Other {" + String(repeating: "\n    func f() {}", count: 28) + "\n}",
        "@usableFromInline final class Other: A {" + String(repeating: "\n", count: 29) + "}\nstruct Short {}",
    ])
    func aViolationIsFound(text: String) {
        #expect(StyleRules.violations(in: SourceFile(path: "Sources/Made/Made.swift", text: text)).count == 1)
    }

    @Test(arguments: [
        "// Sendable: only read.\nfinal class A: @unchecked Sendable {}", "final class A: @unchecked Sendable {}  // guarded by its lock",
        "let methodology = 1", "func hash(into hasher: inout Hasher) {}", "let a = names.contains(\"worker\")",
        "let a = bytes.split(separator: UInt8(ascii: \"/\"))", String(repeating: "\n", count: 499),
        "private struct Other {" + String(repeating: "\n", count: 40) + "}", "struct Made {" + String(repeating: "\n", count: 40) + "}",
        "struct Short {\n    struct Inner {" + String(repeating: "\n", count: 26) + "}\n}",
        "extension Other {" + String(repeating: "\n", count: 40) + "}",
    ])
    func whatIsAllowedIsNotFound(text: String) {
        #expect(StyleRules.violations(in: SourceFile(path: "Sources/Made/Made.swift", text: text)) == [])
    }
}
