import Engine
import Foundation
import SQLiteState
import TestSupport
import Testing
import Worker

/// `TIDEMARK_EXTREMES_STRIDE=1` tries each value at each place; by default it is one in so many.
@Suite("Extreme values in a state file end a worker's start and its run with an error, if they end it", .serialized)
struct ExtremeStartTests {
    private static let stride = ProcessInfo.processInfo.environment["TIDEMARK_EXTREMES_STRIDE"].flatMap { Int($0) } ?? 127
    private static let partitions = 2
    /// A run that can go on from such a file is short; one that is at a loss must not go on for ever.
    private static let longest = Duration.seconds(20)

    private static let values: [(String, @Sendable (ExtremeValues.Place, String) throws -> Bool)] =
        ExtremeValues.integers.map { value in
            ("\(value)", { @Sendable in try ExtremeValues.put(value, at: $0, inStateFile: $1) })
        }
        + ExtremeValues.texts.map { text in ("'\(text.prefix(20))'", { @Sendable in try ExtremeValues.put(text, at: $0, inStateFile: $1) })
        }

    @Test func everyColumnOfAStateFile() throws {
        let golden = GoldenStore.stateFile(format: 3)
        let scratch = try TemporaryDirectory(inMemory: true)
        let whole = scratch.file("state.db")
        try FileManager.default.copyItem(atPath: golden, toPath: whole)
        let places = try ExtremeValues.places(inStateFile: whole)
        try FileManager.default.removeItem(atPath: whole)
        var faults: [String] = []
        var cases = 0
        for place in places {
            for (shown, put) in ExtremeStartTests.values {
                cases += 1
                guard cases.isMultiple(of: ExtremeStartTests.stride) else { continue }
                let bench = try Bench(.everything, partitions: ExtremeStartTests.partitions)
                let file = bench.directory.file("state.db")
                try FileManager.default.copyItem(atPath: golden, toPath: file)
                guard try put(place, file) else { continue }
                if let fault = try fault(of: bench) { faults.append("\(place) is \(shown): \(fault)") }
            }
        }
        #expect(faults == [], "\(faults.joined(separator: "\n"))")
    }

    /// What is wrong about how the run ended; nil when it went on, or refused the file for what it is.
    private func fault(of bench: Bench) throws -> String? {
        let values = (0..<ExtremeStartTests.partitions).map { Bench.purchases($0, seconds: 0..<60) }
        bench.append(values)
        let start = ContinuousClock.now
        do {
            let running = try bench.start(untilEnd: true)
            _ = try running.wait()
        } catch let failure as any Failure {
            guard failure.kind != .bug else { return "a bug: \(failure)" }
            guard failure.kind != .corrupt || failure.description.contains("state") else { return "names nothing: \(failure)" }
        }
        return ContinuousClock.now - start < ExtremeStartTests.longest ? nil : "took \(ContinuousClock.now - start)"
    }
}
