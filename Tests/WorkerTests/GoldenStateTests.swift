import Engine
import Foundation
import SQLiteState
import TestSupport
import Testing
import Worker

@Suite("State files of every format that was ever released are gone on from by this build")
struct GoldenStateTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(
        path: "Golden/State")
    private static let partitions = 2
    /// So many of each partition's records were read when the file was left.
    private static let read = 200

    /// The formats that there are files of, such as `format-1`.
    static var formats: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasPrefix("format-") }.sorted()
    }

    private static func lines(_ format: String, _ name: String) throws -> [String] {
        try String(contentsOf: folder.appending(path: "\(format)/\(name)"), encoding: .utf8).split(separator: "\n").map(String.init)
    }

    @Test func thereAreFiles() { #expect(GoldenStateTests.formats.count >= 2) }

    @Test(arguments: formats)
    func aJobGoesOnFromTheFile(format: String) throws {
        let bench = try Bench(.everything, partitions: GoldenStateTests.partitions)
        try FileManager.default.copyItem(
            at: GoldenStateTests.folder.appending(path: "\(format)/state.db"), to: URL(fileURLWithPath: bench.directory.file("state.db"))
        )
        let values = try (0..<GoldenStateTests.partitions).map { try GoldenStateTests.lines(format, "input-\($0).txt") }
        bench.append(values)
        try bench.runToEnd()
        for partition in values.indices {
            #expect(
                bench.source.reads(of: Bench.partition(partition)) == (GoldenStateTests.read..<values[partition].count).map(Int64.init),
                "what was read is not read again")
        }
        let rows = try GoldenStateTests.lines(format, "delivered.txt") + bench.sink.rows.map(\.text)
        #expect(rows.sorted() == PurchaseReference.rows(of: .everything, values).sorted())
    }

    /// Writes a file of the format that this build writes; README.md beside the files says when.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["TIDEMARK_GOLDEN_STATE"] != nil))
    func makeAFile() throws {
        let target = URL(fileURLWithPath: try #require(ProcessInfo.processInfo.environment["TIDEMARK_GOLDEN_STATE"]))
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        let bench = try Bench(.everything, partitions: GoldenStateTests.partitions)
        bench.storeSettings.compactionBytes = 2_000
        bench.settings.epochRecords = 40
        bench.settings.drainTimeout = .milliseconds(300)
        let values = (0..<GoldenStateTests.partitions).map { Bench.purchases($0, seconds: 0..<60) }
        // The sink goes down before the last records, so that rows and batches are left in the file.
        for (isDown, part) in [(false, 0..<150), (true, 150..<GoldenStateTests.read)] {
            bench.append(values.map { Array($0[part]) })
            let running = try bench.start(untilEnd: false)
            bench.sink.setDown(isDown)
            try waitUntil("all is read") { bench.source.readCount == GoldenStateTests.partitions * part.upperBound }
            running.drain()
            _ = try running.wait()
        }
        try waitUntil("the file is whole") { !FileManager.default.fileExists(atPath: bench.directory.file("state.db-wal")) }
        try FileManager.default.copyItem(atPath: bench.directory.file("state.db"), toPath: target.appending(path: "state.db").path)
        for (partition, values) in values.enumerated() { try write(values, to: target.appending(path: "input-\(partition).txt")) }
        try write(bench.sink.rows.map(\.text), to: target.appending(path: "delivered.txt"))
    }

    private func write(_ lines: [String], to file: URL) throws { try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: file) }
}
