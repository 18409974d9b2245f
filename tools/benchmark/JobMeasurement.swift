import Engine
import FintechJob
import Foundation
import SQLiteState

/// Parsing alone, then with the state, then with a commit to SQLite every so many records.
struct JobMeasurement {
    let log: RecordLog
    let passes: Int

    /// Records of an epoch: what half a second brings at 100,000 a second.
    private static let epochRecords = 50_000

    private var topology: Topology { FintechJob.topology(settings: FintechSettings()) }

    /// The rows that the job made of the records.
    func run() throws -> [OutboxChunk] {
        _ = Figures.measure("parse", records: log.records.count, passes: passes, parse)
        let chunks = try Figures.measure("parse, state", records: log.records.count, passes: passes, process)
        _ = try Figures.measure("parse, state, commit", records: log.records.count, passes: min(passes, 10), commit)
        return chunks
    }

    private func parse() -> Int {
        let scratch = ScratchMemory()
        var decoder = TransactionDecoder(maxAhead: .hours(1))
        var events = 0
        for start in stride(from: 0, to: log.records.count, by: 1024) {
            scratch.reset()
            for record in log.records[start..<min(start + 1024, log.records.count)] {
                if case .event = decoder.decode(record, scratch: scratch) { events += 1 }
            }
        }
        return events
    }

    private func makeTask(cold: any ColdStateReader) -> any StreamTask {
        let topology = topology
        let stage = topology.stages[0]
        let references = Dictionary(uniqueKeysWithValues: topology.references.map { ($0.name, ReferenceTable(name: $0.name)) })
        let environment = TaskEnvironment(partitioning: [:], partitions: [:], cold: cold, references: references)
        return stage.build(TaskSetup(task: TaskID(stage: stage.name, partition: 0), environment: environment))
    }

    private func process() throws -> [OutboxChunk] {
        let task = makeTask(cold: NothingEvicted())
        try log.records.withUnsafeBufferPointer { try task.process($0) }
        if let end = task.lastOpenWindowEnd { try task.raiseWatermark(to: end, firingTimers: false) }
        return task.cut(Epoch(1)).rows
    }

    private func commit() throws -> Int {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("tidemark-benchmark-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let store = try SQLiteStateStore(directory: directory)
        _ = try store.open(topology)
        let task = makeTask(cold: store)
        var epoch = Epoch(0)
        for start in stride(from: 0, to: log.records.count, by: JobMeasurement.epochRecords) {
            try log.records[start..<min(start + JobMeasurement.epochRecords, log.records.count)].withUnsafeBufferPointer { try task.process($0) }
            epoch = epoch.next
            try store.commit(EpochCut(epoch: epoch, tasks: [task.cut(epoch)], frozen: [], delivered: [], wallClock: 0))
            _ = try store.maintain()
        }
        return Int(epoch.number)
    }
}
