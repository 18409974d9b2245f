import Engine

extension SQLiteStateStore {
    package func commit(_ cut: EpochCut) throws {
        try exclusively {
            let opened = try ready()
            precondition(cut.epoch == opened.compactor.lastEpoch.next, "epoch \(cut.epoch) follows \(opened.compactor.lastEpoch)")
            let knownTasks = opened.catalog.tasks
            var change = CommittedChange(lastDelta: opened.compactor.lastDelta)
            do {
                try database.transaction { try write(cut, opened, &change) }
            } catch {
                opened.catalog.forgetTasks(notIn: knownTasks)
                throw error
            }
            change.apply(to: opened, cut)
        }
    }

    /// What the members have to remember of a transaction, once it is durable.
    private struct CommittedChange {
        var chunkRows: [ChunkID: Int64] = [:]
        var messageRows: [MessageBatchID: Int64] = [:]
        var deltas: [(group: RecordGroup, bytes: Int)] = []
        /// The number before theirs.
        let lastDelta: Int64

        func apply(to opened: Opened, _ cut: EpochCut) {
            for task in cut.tasks {
                opened.watermarks[task.task] = task.watermark
                for received in task.received { opened.messageRows[received] = nil }
            }
            opened.messageRows.merge(messageRows) { $1 }
            opened.chunkRows.merge(chunkRows) { $1 }
            for batch in cut.frozen { opened.batchChunks[batch.id] = batch.chunks.map(\.id) }
            for id in cut.delivered {
                for chunk in opened.batchChunks.removeValue(forKey: id) ?? [] { opened.chunkRows[chunk] = nil }
            }
            opened.compactor.note(deltas, of: cut.epoch)
            opened.commitsSincePrune += 1
        }
    }

    private func write(_ cut: EpochCut, _ opened: Opened, _ change: inout CommittedChange) throws {
        let tables = opened.tables
        try tables.meta.set("epoch", String(cut.epoch.number))
        // Whoever reads on makes it untrue.
        try tables.meta.removeEntries(ReadBeforeEntries.prefix)
        for (topic, count) in cut.readBefore { try tables.meta.set(ReadBeforeEntries.prefix + topic, String(count)) }
        for skipped in cut.skipped { try SkipEntries(database: database).add(skipped) }
        var offsets = ByteWriter()
        var scratch = MappingScratch()
        for task in cut.tasks {
            let id = try opened.catalog.id(of: task.task)
            if let position = task.position {
                try tables.tasks.set(position, of: id)
                offsets.write(varint: UInt64(id))
                offsets.write(zigzag: position.next)
            }
            if task.watermark != opened.watermarks[task.task] {
                try tables.tasks.set(watermark: task.watermark, isEnded: task.isEnded, of: id)
            }
            for delta in task.deltas {
                guard let table = opened.catalog.stateTables[task.task.stage]?[delta.table] else {
                    throw StateError(.bug, "task \(task.task) changed the undeclared state table \(delta.table)")
                }
                try write(delta.bytes, of: RecordGroup(task: id, table: table.id), cut.epoch, tables, &change)
                if let fallback = opened.catalog.fallback(of: table) {
                    try write(
                        try earlier(delta, fallback, scratch: &scratch), of: RecordGroup(task: id, table: fallback.id), cut.epoch, tables,
                        &change)
                }
            }
            try write(task, id, cut.epoch, opened, &change)
        }
        if !offsets.isEmpty { try tables.offsets.add(cut.epoch, committedAt: cut.wallClock, offsets.view) }
        try writeBatches(cut, opened)
    }

    private func write(_ delta: [UInt8], of group: RecordGroup, _ epoch: Epoch, _ tables: StateTables, _ change: inout CommittedChange)
        throws
    {
        change.deltas.append((group, delta.count))
        try delta.withUnsafeBytes {
            try tables.deltas.add(ByteView($0), number: change.lastDelta + Int64(change.deltas.count), of: group, epoch)
        }
    }

    /// A delta as the version before reads it.
    private func earlier(_ delta: StateDelta, _ fallback: Fallback, scratch: inout MappingScratch) throws -> [UInt8] {
        let mapped = delta.bytes.withUnsafeBytes { fallback.mapping.map(delta: ByteView($0), scratch: &scratch) }
        guard let mapped else {
            throw StateError(
                .bug,
                "records of state table \(delta.table) can't be said in version \(fallback.mapping.to.version), which may still go on from this state; `tidemark finalize` ends that"
            )
        }
        return mapped
    }

    private func write(_ task: TaskCut, _ id: Int64, _ epoch: Epoch, _ opened: Opened, _ change: inout CommittedChange) throws {
        for chunk in task.rows {
            guard let table = opened.catalog.outputs[chunk.id.table] else {
                throw StateError(.bug, "task \(task.task) wrote rows of the undeclared table \(chunk.id.table)")
            }
            guard let layout = opened.catalog.layouts.id(of: chunk.layout) else {
                throw StateError(.bug, "task \(task.task) wrote rows of table \(chunk.id.table) in an undeclared layout")
            }
            change.chunkRows[chunk.id] = try opened.tables.outbox.add(chunk, of: id, table: table, layout: layout, in: epoch)
        }
        for batch in task.sent {
            let receiver = try opened.catalog.id(of: batch.id.to)
            guard let layout = opened.catalog.messageLayouts.id(of: batch.id.to.stage) else {
                throw StateError(.bug, "task \(task.task) sent messages to stage \(batch.id.to.stage), to which nobody is declared to send")
            }
            change.messageRows[batch.id] = try opened.tables.messages.add(batch, from: id, to: receiver, epoch, layout: layout)
        }
        for received in task.received {
            guard let row = opened.messageRows[received] else {
                throw StateError(
                    .bug,
                    "task \(task.task) processed a batch from \(received.from) of epoch \(received.epoch) that the state does not hold")
            }
            try opened.tables.messages.remove(row)
        }
    }

    private func writeBatches(_ cut: EpochCut, _ opened: Opened) throws {
        let batches = opened.tables.batches
        for batch in cut.frozen { try batches.add(batch, table: output(batch.table, opened), frozen: cut.epoch, task: opened.catalog.id) }
        for id in cut.delivered {
            try batches.setDelivered(id, table: output(id.table, opened), in: cut.epoch, at: cut.wallClock)
            let chunks = opened.batchChunks[id] ?? []
            guard !chunks.isEmpty else { throw StateError(.bug, "batch \(id) was delivered, but the state does not hold it") }
            for chunk in chunks {
                guard let row = opened.chunkRows[chunk] else { throw StateError(.bug, "batch \(id) lacks a chunk of its rows") }
                try opened.tables.outbox.remove(row)
            }
        }
    }

    private func output(_ table: String, _ opened: Opened) throws -> Int64 {
        guard let id = opened.catalog.outputs[table] else { throw StateError(.bug, "the undeclared output table \(table)") }
        return id
    }
}
