import Foundation
import Testing

@Suite("The tool's page shows what the tool writes")
struct DocumentTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    @Test func everyExampleOfThePageIsWhatTheToolWrites() throws {
        let page = try String(contentsOfFile: "\(DocumentTests.root)/docs/CHECKPOINT-TOOL.md", encoding: .utf8)
        let expected = try FileManager.default.contentsOfDirectory(atPath: GoldenFile.directory).map {
            try String(contentsOfFile: "\(GoldenFile.directory)/\($0)", encoding: .utf8)
        }
        let examples = page.components(separatedBy: "```\n").filter { $0.hasPrefix("$ checkpoint") }
        #expect(examples.count > 20)
        let comparable = expected.map(GoldenFile.comparable)
        for example in examples.map(GoldenFile.comparable) {
            #expect(comparable.contains { $0.hasPrefix(example + "exit ") }, "no test holds this example:\n\(example)")
        }
    }

    /// Every verb that the tool has is on the page.
    @Test func everyVerbIsOnThePage() throws {
        let page = try String(contentsOfFile: "\(DocumentTests.root)/docs/CHECKPOINT-TOOL.md", encoding: .utf8)
        let help = try CheckpointBinary.run(["--help"], in: "/").output
        let verbs = help.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }.compactMap {
            $0.split(separator: " ").first
        }
        .filter { $0.allSatisfy { $0.isLowercase } && $0 != "help" }
        #expect(verbs.count > 20, "\(verbs)")
        for verb in verbs {
            #expect(page.contains("`\(verb)`") || page.contains("$ checkpoint \(verb) "), "the page says nothing of \(verb)")
        }
    }
}
