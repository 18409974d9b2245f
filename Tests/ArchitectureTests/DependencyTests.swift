import Foundation
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

    /// Tools and tests import what Package.swift says they are made of, and no more.
    @Test(arguments: ["tools", "Tests", "Examples"])
    func toolsAndTestsImportWhatTheirTargetsSay(folder: String) throws {
        let targets = try PackageTargets()
        let files = try Repository.files(below: folder, endings: ["swift"])
        #expect(!files.isEmpty)
        #expect(files.flatMap(targets.violations) == [])
    }

    /// What users of the library call is public, and `clicks` is compiled as one of them; all else that another target needs is `package`.
    @Test func publicIsWhatUsersOfTheLibraryCall() throws {
        let targets = try PackageTargets()
        #expect(targets.library.contains("Engine") && targets.library.contains("Worker"))
        let files = try ["Sources", "tools", "Tests"].flatMap { try Repository.files(below: $0, endings: ["swift"]) }
        #expect(files.flatMap(targets.publicOutsideOfTheLibrary) == [])
        for (target, line, isFound) in [
            ("Avro", "public struct A {}", true), ("Avro", "    public private(set) var a = 1", true), ("Avro", "open class A {}", true),
            ("Avro", "package struct A {} // public struct", false), ("Avro", "let file = open(path)", false),
            ("Avro", "try store.open(topology)", false), ("Avro", "guard let open else { return }", false),
            ("Avro", "@frozen public struct A {}", true), ("Engine", "public struct A {}", false),
        ] {
            let file = SourceFile(path: "Sources/\(target)/A.swift", text: line)
            #expect(targets.publicOutsideOfTheLibrary(in: file).isEmpty != isFound, "\(line)")
        }
    }

    /// What a worker decides is decided in Engine/Run: neither the threads nor the simulation make the parts of it themselves.
    @Test func whatAWorkerDecidesIsDecidedOnce() throws {
        let parts = ["Coordinator(", "Checkpointing(", "EpochSchedule(", "IdleTracker(", "TaskGroup(", "PartitionGrowth("]
        for target in ["Worker", "Simulation", "tidemark"] {
            let made = try Repository.files(below: "Sources/\(target)", endings: ["swift"]).flatMap { file in
                file.lines(with: parts).map { "\(file.path):\($0.line): \($0.word)" }
            }
            #expect(made == [])
        }
    }

    @Test func theDrawnStructureIsThatOfThePackage() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "\(Repository.root)/tools/draw-architecture")
        process.arguments = ["--check"]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "run tools/draw-architecture")
    }

    /// `tools/mutate` would otherwise find out after minutes.
    @Test func everyMutationHasItsPlace() throws {
        let mutations = try Repository.files(below: "Tests/Mutations", endings: ["mutation"])
        #expect(mutations.count >= 25)
        for mutation in mutations {
            let parts = mutation.lines.joined(separator: "\n").split(separator: "\n<<<<\n", maxSplits: 1)
            let texts = parts.last?.split(separator: "\n====\n", maxSplits: 1)
            let file = parts.first?.split(separator: "\n").last.map(String.init) ?? ""
            let old = try #require(texts?.first, "\(mutation.path)")
            let whole = try String(contentsOfFile: "\(Repository.root)/\(file)", encoding: .utf8)
            #expect(whole.ranges(of: old).count == 1, "\(mutation.path): its text is not once in \(file)")
        }
    }

    @Test func theCoreHasNoCFilesOrModuleMaps() throws {
        for target in DependencyRules.pure {
            let foreign = try Repository.files(below: "Sources/\(target)", endings: ["c", "h", "cpp", "modulemap", "m"])
            #expect(foreign.map(\.path) == [])
        }
    }

    /// What the rules must find, so that they can't pass by seeing nothing.
    @Test(arguments: [
        ("Engine", "import Foundation"), ("Engine", "import SQLiteState"), ("Engine", "@testable import Worker"),
        ("Engine", "import struct Glibc.timespec"),
        ("FintechJob", "import KafkaIO"), ("Simulation", "import Worker"), ("Traffic", "internal import Dispatch"),
        ("KafkaIO", "import ClickHouseSink"),
        ("Worker", "import KafkaIO"), ("CurlHTTP", "import Engine"), ("SQLiteState", "import CCurl"), ("Nonsense", "let a = 1"),
        ("Engine", "func f() async {}"), ("Engine", "let now = ContinuousClock().now"), ("Engine", "let n = Int.random(in: 0...1)"),
        ("Traffic", "print(1)"), ("FintechJob", "let d = Date()"), ("Engine", "let a = time(nil)"),
        ("Simulation", "@_silgen_name(\"x\") func x()"),
    ])
    func aViolationIsFound(target: String, line: String) {
        let file = SourceFile(path: "Sources/\(target)/Made.swift", text: "/// Made up.\n\(line)\n")
        #expect(DependencyRules.tidemark.violations(in: file, of: target).count == 1)
    }

    @Test(arguments: [
        ("Engine", "// import Foundation, async, print(1)"), ("Engine", "let text = \"import Foundation; async print(1)\""),
        ("Engine", "rows.time(\"eventTime\", end)"),
        ("Engine", "let isAsyncronous = update(validDate)"), ("Engine", "/* async */ let taskID = 1"), ("Worker", "import SQLiteState"),
        ("Worker", "import Dispatch"),
        ("Engine", "let text = \"\"\"\n  await import Foundation\n  \"\"\""),
    ])
    func whatIsAllowedIsNotFound(target: String, line: String) {
        let file = SourceFile(path: "Sources/\(target)/Made.swift", text: line)
        #expect(DependencyRules.tidemark.violations(in: file, of: target) == [])
    }
}
