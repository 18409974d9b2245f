import Engine
import FintechJob
import Foundation
import SQLiteState

/// Parsing alone, then with the state, then with ids remembered, with re-keying, or with a commit to SQLite every so many
/// records.
struct JobMeasurement {
    let log: RecordLog
    let passes: Int

    /// Records of an epoch: what half a second brings at 100,000 a second.
    private static let epochRecords = 50_000

    private let topology = FintechJob.topology(settings: FintechSettings())

    /// The rows that the job made of the records.
    func run() throws -> [OutboxChunk] {
        _ = Figures.measure("parse", records: log.records.count, passes: passes) { parse(log.records, InputForm()) }
        for isEnvelope in [false, true] {
            let avro = try AvroLog(log, isEnvelope: isEnvelope)
            _ = Figures.measure(isEnvelope ? "parse, Avro in an envelope" : "parse, Avro", records: avro.records.count, passes: passes) {
                parse(avro.records, avro.form)
            }
        }
        let chunks = try Figures.measure("parse, state", records: log.records.count, passes: passes) { try process(topology) }
        var remembering = FintechSettings()
        remembering.deduplicationHorizon = .hours(24)
        let deduplicated = FintechJob.topology(settings: remembering)
        _ = try Figures.measure("parse, ids, state", records: log.records.count, passes: passes) { try process(deduplicated) }
        var rekeying = FintechSettings()
        rekeying.keyedBy = .id
        let rekeyed = FintechJob.topology(settings: rekeying)
        _ = try Figures.measure("parse, re-key, state", records: log.records.count, passes: passes) { try processRekeyed(rekeyed) }
        _ = try Figures.measure("parse, state, commit", records: log.records.count, passes: min(passes, 10), commit)
        return chunks
    }

    private func parse(_ records: [SourceRecord], _ form: InputForm) -> Int {
        let scratch = ScratchMemory()
        var decoder = TransactionDecoder(maxAhead: .hours(1), form: form)
        var events = 0
        for start in stride(from: 0, to: records.count, by: 1024) {
            scratch.reset()
            for record in records[start..<min(start + 1024, records.count)] {
                if case .event = decoder.decode(record, scratch: scratch) { events += 1 }
            }
        }
        return events
    }

    private func makeTasks(_ topology: Topology, stage: Int = 0, count: Int = 1, cold: any ColdStateReader) -> [any StreamTask] {
        let references = Dictionary(uniqueKeysWithValues: topology.references.map { ($0.name, ReferenceTable(name: $0.name)) })
        var partitions: [StageName: Int] = [:]
        for stage in topology.stages { if case .messages(let count) = stage.input { partitions[stage.name] = count } }
        let environment = TaskEnvironment(
            partitioning: [:], partitions: partitions, cold: cold, hashKey: HashKey(first: 1, second: 2), references: references)
        let stage = topology.stages[stage]
        return (0..<count).map { stage.build(TaskSetup(task: TaskID(stage: stage.name, partition: $0), environment: environment)) }
    }

    private func process(_ topology: Topology) throws -> [OutboxChunk] {
        let task = makeTasks(topology, cold: NothingEvicted())[0]
        try log.records.withUnsafeBufferPointer { try task.process($0, at: .distantFuture) }
        if let end = task.lastOpenWindowEnd { try task.raiseWatermark(to: end, firingTimers: false) }
        return task.cut(Epoch(1)).rows
    }

    /// One partition's records, handed over to the customers' tasks once an epoch.
    private func processRekeyed(_ topology: Topology) throws -> Int {
        guard case .messages(let count) = topology.stages[1].input else { return 0 }
        let reader = makeTasks(topology, cold: NothingEvicted())[0]
        let customers = makeTasks(topology, stage: 1, count: count, cold: NothingEvicted())
        var epoch = Epoch(0)
        for start in stride(from: 0, to: log.records.count, by: JobMeasurement.epochRecords) {
            try log.records[start..<min(start + JobMeasurement.epochRecords, log.records.count)].withUnsafeBufferPointer {
                try reader.process($0, at: .distantFuture)
            }
            epoch = epoch.next
            for batch in reader.cut(epoch).sent { try customers[batch.id.to.partition].process(batch) }
        }
        return try customers.reduce(0) { rows, task in
            if let end = task.lastOpenWindowEnd { try task.raiseWatermark(to: end, firingTimers: false) }
            return rows + task.cut(epoch.next).rows.reduce(0) { $0 + $1.rowCount }
        }
    }

    private func commit() throws -> Int {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("tidemark-benchmark-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let store = try SQLiteStateStore(directory: directory)
        _ = try store.open(topology)
        let task = makeTasks(topology, cold: store)[0]
        var epoch = Epoch(0)
        for start in stride(from: 0, to: log.records.count, by: JobMeasurement.epochRecords) {
            try log.records[start..<min(start + JobMeasurement.epochRecords, log.records.count)].withUnsafeBufferPointer {
                try task.process($0, at: .distantFuture)
            }
            epoch = epoch.next
            try store.commit(EpochCut(epoch: epoch, tasks: [task.cut(epoch)], frozen: [], delivered: [], wallClock: 0))
            _ = try store.maintain()
        }
        return Int(epoch.number)
    }
}
