import Foundation
import TestSupport
import Testing

@Suite("The example is what docs/WRITING-A-PROCESSOR.md shows, and it runs")
struct ExampleTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The page's Swift blocks by the file that the line before each names.
    private func blocks() throws -> [String: String] {
        let page = try String(contentsOfFile: Self.root + "/docs/WRITING-A-PROCESSOR.md", encoding: .utf8)
        var blocks: [String: String] = [:]
        for match in page.matches(of: /`(Examples\/Clicks\/[\w.\/]+)`\n\n```swift\n((?:(?!```)[\s\S])*)```\n/) {
            blocks[String(match.1)] = String(match.2)
        }
        #expect(blocks.count == page.matches(of: /```swift\n/).count, "every block of Swift has a file of its own")
        return blocks
    }

    @Test func everyBlockIsItsFileAndEveryFileIsShown() throws {
        let blocks = try blocks()
        let folder = "Examples/Clicks/Sources/clicks"
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(Self.root)/\(folder)").map { "\(folder)/\($0)" }
        #expect(Set(blocks.keys) == Set(files + ["Examples/Clicks/Package.swift"]))
        for (file, block) in blocks {
            #expect(try String(contentsOfFile: "\(Self.root)/\(file)", encoding: .utf8) == block, "\(file)")
        }
    }

    @Test func itCountsTheClicksOfADirectory() throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: directory.file("log"), withIntermediateDirectories: true)
        try "home 1000\nshop 2000\nnonsense\nhome 59999\nhome 65000\n".write(
            toFile: directory.file("log/clicks.jsonl"), atomically: true, encoding: .utf8)
        let binary = URL(fileURLWithPath: TidemarkBinary.path).deletingLastPathComponent().path + "/clicks"
        let run = try ChildProcess(binary, [directory.file("log"), directory.file("state")])
        #expect(run.waitForExit() == 0, "\(run.errors)")
        let lines = run.output.split(separator: "\n").sorted()
        #expect(lines == ["home until 120000: 1", "home until 60000: 2", "outcome: complete", "shop until 60000: 1"], "\(run.output)")

        // The changed job goes on from there, and the first one from that.
        for (more, version) in [("robots.txt 125000\nhome 126000\n", ["--changed"]), ("shop 185000\n", [])] {
            let log = try String(contentsOfFile: directory.file("log/clicks.jsonl"), encoding: .utf8)
            try (log + more).write(toFile: directory.file("log/clicks.jsonl"), atomically: true, encoding: .utf8)
            let next = try ChildProcess(binary, [directory.file("log"), directory.file("state")] + version)
            #expect(next.waitForExit() == 0, "\(next.errors)")
            let expected =
                version.isEmpty
                ? ["outcome: complete", "shop until 240000: 1"]
                : ["home until 180000: 1", "outcome: complete", "robots.txt until 180000: 0"]
            #expect(next.output.split(separator: "\n").sorted() == expected.map { Substring($0) }, "\(next.output)")
        }
    }
}
