import Testing

@Suite("Architecture: dependencies point downwards, and the core has no C library, clock, I/O or async")
struct DependencyTests {
    @Test func everyTargetImportsOnlyWhatIsBelowIt() throws {
        let files = try Repository.files(below: "Sources", endings: ["swift"])
        #expect(files.count > 40, "the sources were not found below \(Repository.root)")
        let violations = files.flatMap { file in
            DependencyRules.tidemark.violations(in: file, of: String(file.path.split(separator: "/")[1]))
        }
        #expect(violations == [])
    }

    @Test func theCoreHasNoCFilesOrModuleMaps() throws {
        for target in DependencyRules.pure {
            let foreign = try Repository.files(below: "Sources/\(target)", endings: ["c", "h", "cpp", "modulemap", "m"])
            #expect(foreign.map(\.path) == [])
        }
    }

    /// What the rules must find, so that they can't pass by seeing nothing.
    @Test(arguments: [
        ("Engine", "import Foundation"), ("Engine", "import SQLiteState"), ("Engine", "@testable import Worker"), ("Engine", "import struct Glibc.timespec"),
        ("FintechJob", "import KafkaIO"), ("Simulation", "import Worker"), ("Traffic", "internal import Dispatch"), ("KafkaIO", "import ClickHouseSink"),
        ("Worker", "import KafkaIO"), ("CurlHTTP", "import Engine"), ("SQLiteState", "import CCurl"), ("Nonsense", "let a = 1"),
        ("Engine", "func f() async {}"), ("Engine", "let now = ContinuousClock().now"), ("Engine", "let n = Int.random(in: 0...1)"),
        ("Traffic", "print(1)"), ("FintechJob", "let d = Date()"), ("Engine", "let a = time(nil)"), ("Simulation", "@_silgen_name(\"x\") func x()"),
    ])
    func aViolationIsFound(target: String, line: String) {
        let file = SourceFile(path: "Sources/\(target)/Made.swift", text: "/// Made up.\n\(line)\n")
        #expect(DependencyRules.tidemark.violations(in: file, of: target).count == 1)
    }

    @Test(arguments: [
        ("Engine", "// import Foundation, async, print(1)"), ("Engine", "let text = \"import Foundation; async print(1)\""), ("Engine", "rows.time(\"eventTime\", end)"),
        ("Engine", "let isAsyncronous = update(validDate)"), ("Engine", "/* async */ let taskID = 1"), ("Worker", "import SQLiteState"), ("Worker", "import Dispatch"),
        ("Engine", "let text = \"\"\"\n  await import Foundation\n  \"\"\""),
    ])
    func whatIsAllowedIsNotFound(target: String, line: String) {
        let file = SourceFile(path: "Sources/\(target)/Made.swift", text: line)
        #expect(DependencyRules.tidemark.violations(in: file, of: target) == [])
    }
}
