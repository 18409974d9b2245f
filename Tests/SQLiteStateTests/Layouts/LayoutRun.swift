import Foundation
import TestSupport

@testable import Engine
@testable import SQLiteState

/// A sink that reads rows by the layout that they came with, as sinks have to. A batch that comes again is the same as before.
final class NamedSink {
    private(set) var batches: [SinkBatchID: [NamedRow]] = [:]
    private var bytes: [SinkBatchID: [[UInt8]]] = [:]
    private(set) var differences: [String] = []

    func land(_ batch: SinkBatch) {
        let chunks = batch.chunks.map(\.bytes)
        if let before = bytes[batch.id], before != chunks { differences.append("\(batch.id) came again with other bytes") }
        bytes[batch.id] = chunks
        batches[batch.id] = batch.chunks.flatMap { NamedSink.rows(of: $0, batch.layout) }
    }

    var rows: [NamedRow] { batches.values.flatMap(\.self) }

    private static func rows(of chunk: OutboxChunk, _ layout: OutputTable) -> [NamedRow] {
        chunk.bytes.withUnsafeBytes { bytes in
            var reader = RowReader(ByteView(bytes))
            return (0..<chunk.rowCount).map { _ in
                NamedRow(
                    table: layout.name,
                    values: Dictionary(
                        uniqueKeysWithValues: layout.columns.map { column in
                            let text =
                                switch column.type {
                                case .text: reader.text().text
                                case .count: String(reader.count())
                                case .number: String(reader.number())
                                case .sum: String(reader.sum())
                                case .time: String(reader.time().milliseconds)
                                case .flag, .amount, .textCounts, .texts: preconditionFailure("the job has no such column")
                                }
                            return (column.name, text)
                        }))
            }
        }
    }
}

/// Versions of a job one after the other on one state directory with the real store, each ending in a way of its own.
final class LayoutRun {
    /// What is there that is not known to be delivered, when a version is told to stop or dies.
    enum Waiting: CaseIterable, Sendable {
        case nothing, rows, frozenInDoubt, both
    }

    enum End: CaseIterable, Sendable {
        /// Everything leaves.
        case drain
        /// The sink was down for longer than the drain: everything is frozen and waits. The exit code is 3.
        case drainWithRest
        /// Nothing more happens. What was sent in the last epoch has landed or not, and nobody knows.
        case kill
    }

    let directory: TemporaryDirectory
    let sinks: [SinkName?: NamedSink] = [nil: NamedSink(), LayoutJob.further: NamedSink()]
    private var offset: Int64 = 0

    init() throws { directory = try TemporaryDirectory("tidemark-layouts") }

    /// Reads the inputs in two epochs and ends. What an earlier version left is delivered first, as a start does.
    func run(_ topology: Topology, _ inputs: [LayoutJob.Input], leaving waiting: Waiting, _ end: End) throws {
        let store = try SQLiteStateStore(directory: directory.path)
        let restored = try store.open(topology)
        if restored.isNew { try store.register(partitions: ["lines": 1]) }
        let tables = restored.outboxTables(of: topology)
        var limits = Outbox.Limits()
        limits.batchRows = 1 << 20
        var outbox = Outbox(
            lineage: restored.lineage, tables: restored.outboxes(of: tables), flushInterval: .zero, limits: limits, now: .zero)
        let setup = TaskSetup(
            task: TaskID(stage: "lines", partition: 0),
            environment: TaskEnvironment(partitioning: [:], partitions: ["lines": 1], cold: store, hashKey: .ofTests)
        )
        let task = topology.stages[0].build(setup)
        try store.restore(task, memoryBudget: .max)
        try task.resume(at: restored.tasks[task.id]?.watermark ?? .distantPast, position: restored.tasks[task.id]?.position)
        var epoch = restored.epoch
        deliver(&outbox, tables)

        func cut(_ inputs: ArraySlice<LayoutJob.Input>, freezes: Bool, everything: Bool = false) throws {
            try read(inputs, task)
            epoch = epoch.next
            let cut = task.cut(epoch).copyingRows(to: topology.additionalSinks)
            outbox.add(cut.rows)
            let frozen = freezes ? outbox.freeze(now: .seconds(Int64(epoch.number)), everything: everything) : []
            try store.commit(EpochCut(epoch: epoch, tasks: [cut], frozen: frozen, delivered: outbox.takeDelivered(), wallClock: 0))
            outbox.committed()
        }

        let half = inputs.count / 2
        switch waiting {
        case .nothing:
            try cut(inputs[...], freezes: true)
            deliver(&outbox, tables)
            try cut([], freezes: false)
        case .rows: try cut(inputs[...], freezes: false)
        case .frozenInDoubt:
            try cut(inputs[...], freezes: true)
            if end == .kill { sendSome(&outbox, tables) }
        case .both:
            try cut(inputs[..<half], freezes: true)
            if end == .kill { sendSome(&outbox, tables) }
            try cut(inputs[half...], freezes: false)
        }
        switch end {
        case .kill: break
        case .drainWithRest: try cut([], freezes: true, everything: true)
        case .drain:
            try cut([], freezes: true, everything: true)
            deliver(&outbox, tables)
            try cut([], freezes: false)
        }
    }

    private func read(_ inputs: ArraySlice<LayoutJob.Input>, _ task: any StreamTask) throws {
        for input in inputs {
            try input.bytes.withUnsafeBytes { value in
                let record = SourceRecord(offset: offset, timestamp: nil, key: .null, value: ByteView(value))
                try withUnsafePointer(to: record) { try task.process(UnsafeBufferPointer(start: $0, count: 1)) }
            }
            offset += 1
        }
    }

    private func deliver(_ outbox: inout Outbox, _ tables: [OutboxTable]) {
        for table in tables {
            while let batch = outbox.next(for: table.name) {
                sinks[table.sink]?.land(batch)
                outbox.delivered(batch.id)
            }
        }
    }

    /// Every other table's batches land, and nobody hears of it.
    private func sendSome(_ outbox: inout Outbox, _ tables: [OutboxTable]) {
        for (number, table) in tables.enumerated() where number % 2 == 0 {
            if let batch = outbox.next(for: table.name) { sinks[table.sink]?.land(batch) }
        }
    }

    /// Rows in the state that are not known to be delivered.
    func waitingRows() throws -> Int { try StateReader(path: directory.file("state.db")).waitingRows().values.reduce(0) { $0 + $1.rows } }
}
