import Engine
import Foundation
import SQLiteState

/// What checkpoints cost a running job: how long their steps hold up its epochs, and what else becomes slower meanwhile.
final class CheckpointMeasurement {
    private let store: SQLiteStateStore
    private let log: SyntheticEpochs
    private let interval: Duration
    private let step: Duration
    private let stateBytes: Int

    /// `directory`: an empty one, on the disk that is to be measured.
    init(directory: String, stateBytes: Int, interval: Duration, step: Duration) throws {
        store = try SQLiteStateStore(directory: directory)
        _ = try store.open(SyntheticEpochs.topology)
        log = SyntheticEpochs(keys: UInt64(stateBytes / SyntheticEpochs.recordBytes))
        self.interval = interval
        self.step = step
        self.stateBytes = stateBytes
    }

    func run() throws {
        try fill()
        report("no checkpoint", try measure(epochs: 40) { false })
        try base()
        try delta(bytes: 64 << 20)
    }

    private func fill() throws {
        while let cut = log.nextToFill(bytes: 16 << 20) {
            try store.commit(cut)
            _ = try store.maintain()
        }
        print("state file: \(try size(of: store.exportDirectory + "/../state.db") >> 20) MiB in \(log.epoch) epochs")
    }

    private func base() throws {
        let path = store.exportDirectory + "/base"
        try store.keepChanges(after: log.epoch)
        try store.beginBase(at: path)
        let figures = try measure { try self.store.stepBase(for: self.step) != nil }
        try store.keepChanges(after: log.epoch)
        report("base of \(try size(of: path) >> 20) MiB", figures)
        try FileManager.default.removeItem(atPath: path)
    }

    private func delta(bytes: Int) throws {
        let from = log.epoch
        var changed = 0
        while changed < bytes { changed += try commit().bytes }
        let path = store.exportDirectory + "/delta"
        guard try store.beginDelta(after: from, at: path) else { throw BenchmarkError("the changes were not kept") }
        let figures = try measure { try self.store.stepDelta(for: self.step) != nil }
        report("delta of \(try size(of: path) >> 20) MiB", figures)
        let start = ContinuousClock.now
        guard try store.writeDelta(after: from, at: path) != nil else { throw BenchmarkError("the changes were not kept") }
        print("  the same at one go: \(text(ContinuousClock.now - start))")
    }

    // MARK: - Figures

    private struct Times {
        var commits: [Duration] = []
        var compacts: [Duration] = []
        var steps: [Duration] = []
        var stepCPU = 0.0
        var total = Duration.zero
    }

    private func commit() throws -> (took: Duration, bytes: Int) {
        let cut = log.next()
        let start = ContinuousClock.now
        try store.commit(cut)
        return (ContinuousClock.now - start, cut.tasks.reduce(0) { $0 + $1.deltas.reduce(0) { $0 + $1.bytes.count } })
    }

    /// Epochs at their interval, each with `step` after it, until that says that it is done, or so many.
    private func measure(epochs: Int = .max, _ step: () throws -> Bool) throws -> Times {
        var times = Times()
        let begun = ContinuousClock.now
        for number in 0..<epochs {
            times.commits.append(try commit().took)
            let committed = ContinuousClock.now
            _ = try store.maintain()
            let maintained = ContinuousClock.now
            times.compacts.append(maintained - committed)
            let cpu = Figures.threadSeconds
            let isDone = try step()
            times.steps.append(ContinuousClock.now - maintained)
            times.stepCPU += Figures.threadSeconds - cpu
            times.total = ContinuousClock.now - begun
            if isDone { break }
            let wait = begun + interval * (number + 1) - ContinuousClock.now
            if wait > .zero { Thread.sleep(forTimeInterval: wait / .seconds(1)) }
        }
        return times
    }

    private func report(_ what: String, _ times: Times) {
        print("\(what): \(times.commits.count) epochs in \(text(times.total)), CPU of all steps \(text(.seconds(times.stepCPU)))")
        print("  longest step \(text(times.steps.max()!)), of all steps \(text(times.steps.reduce(.zero, +)))")
        print(
            "  commit: middle \(text(times.commits.sorted()[times.commits.count / 2])), longest \(text(times.commits.max()!)); compact and log: longest \(text(times.compacts.max()!))"
        )
    }

    private func text(_ duration: Duration) -> String { String(format: "%.1f ms", duration / .milliseconds(1)) }

    private func size(of path: String) throws -> Int {
        (try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    }
}

/// What makes a measurement worthless.
struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
