import Engine

extension SQLiteStateStore {
    public func commit(_ cut: EpochCut) throws {
        try exclusively {
            let opened = try ready()
            precondition(cut.epoch == opened.lastEpoch.next, "epoch \(cut.epoch) follows \(opened.lastEpoch)")
            let knownTasks = opened.catalog.tasks
            var change = CommittedChange(lastDelta: opened.lastDelta)
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
        var deltas: [(group: CompactionGroup, bytes: Int)] = []
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
            for (number, delta) in zip((lastDelta + 1)..., deltas) { opened.uncompacted.add(number, of: delta.group, bytes: delta.bytes) }
            opened.lastDelta = lastDelta + Int64(deltas.count)
            opened.lastEpoch = cut.epoch
            opened.commitsSincePrune += 1
        }
    }

    private func write(_ cut: EpochCut, _ opened: Opened, _ change: inout CommittedChange) throws {
        let statements = opened.statements
        let epoch = Statement.Value.integer(Int64(cut.epoch.number))
        try statements.setEpoch.run(.text(String(cut.epoch.number)))
        // Whoever reads on makes it untrue.
        try statements.forgetReadBefore.run()
        for (topic, count) in cut.readBefore { try statements.setReadBefore.run(.text(topic), .text(String(count))) }
        for skipped in cut.skipped { try SkipEntries(database: database).add(skipped) }
        var offsets = ByteWriter()
        var scratch = MappingScratch()
        for task in cut.tasks {
            let id = try opened.catalog.id(of: task.task)
            if let position = task.position {
                try write(position, of: id, statements)
                offsets.write(varint: UInt64(id))
                offsets.write(zigzag: position.next)
            }
            if task.watermark != opened.watermarks[task.task] {
                try statements.setWatermark.run(.integer(task.watermark.milliseconds), .integer(task.isEnded ? 1 : 0), .integer(id))
            }
            for delta in task.deltas {
                guard let table = opened.catalog.stateTables[task.task.stage]?[delta.table] else {
                    throw StateError(.bug, "task \(task.task) changed the undeclared state table \(delta.table)")
                }
                try write(delta.bytes, of: id, table.id, epoch, statements, &change)
                if let fallback = opened.catalog.fallback(of: table) {
                    try write(try earlier(delta, fallback, scratch: &scratch), of: id, fallback.id, epoch, statements, &change)
                }
            }
            try write(task, id, epoch, opened, &change)
        }
        if !offsets.isEmpty { try statements.addOffsets.run(epoch, .integer(cut.wallClock), .blob(offsets.view)) }
        try writeBatches(cut, epoch, opened, change)
    }

    private func write(
        _ delta: [UInt8], of task: Int64, _ table: Int64, _ epoch: Statement.Value, _ statements: CommitStatements,
        _ change: inout CommittedChange
    ) throws {
        change.deltas.append((CompactionGroup(task: task, table: table), delta.count))
        try delta.withUnsafeBytes { bytes in
            try statements.addDelta.run(
                .integer(change.lastDelta + Int64(change.deltas.count)), .integer(task), .integer(table), epoch, .blob(ByteView(bytes)))
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

    private func write(_ position: SourcePosition, of task: Int64, _ statements: CommitStatements) throws {
        try statements.setPosition.run(
            .integer(position.next), position.last.map { .integer($0.offset) } ?? .null,
            position.last.map { .integer($0.timestamp) } ?? .null, position.last.map { .integer(Int64($0.checksum)) } ?? .null,
            .integer(task)
        )
    }

    private func write(_ task: TaskCut, _ id: Int64, _ epoch: Statement.Value, _ opened: Opened, _ change: inout CommittedChange) throws {
        let statements = opened.statements
        for chunk in task.rows {
            guard let table = opened.catalog.outputs[chunk.id.table] else {
                throw StateError(.bug, "task \(task.task) wrote rows of the undeclared table \(chunk.id.table)")
            }
            guard let layout = opened.catalog.layouts.id(of: chunk.layout) else {
                throw StateError(.bug, "task \(task.task) wrote rows of table \(chunk.id.table) in an undeclared layout")
            }
            try chunk.bytes.withUnsafeBytes { bytes in
                try statements.addChunk.run(
                    .integer(id), .integer(table), epoch, .integer(Int64(chunk.id.sequence)), .integer(Int64(chunk.partition)),
                    .integer(Int64(chunk.rowCount)), .integer(layout), .blob(ByteView(bytes))
                )
            }
            change.chunkRows[chunk.id] = try lastID(statements)
        }
        for batch in task.sent {
            let receiver = try opened.catalog.id(of: batch.id.to)
            guard let layout = opened.catalog.messageLayouts.id(of: batch.id.to.stage) else {
                throw StateError(.bug, "task \(task.task) sent messages to stage \(batch.id.to.stage), to which nobody is declared to send")
            }
            try batch.bytes.withUnsafeBytes { bytes in
                try statements.addMessage.run(
                    .integer(id), .integer(receiver), epoch, .integer(Int64(batch.count)), .integer(layout), .blob(ByteView(bytes)))
            }
            change.messageRows[batch.id] = try lastID(statements)
        }
        for received in task.received {
            guard let row = opened.messageRows[received] else {
                throw StateError(
                    .bug,
                    "task \(task.task) processed a batch from \(received.from) of epoch \(received.epoch) that the state does not hold")
            }
            try statements.removeMessage.run(.integer(row))
        }
    }

    private func writeBatches(_ cut: EpochCut, _ epoch: Statement.Value, _ opened: Opened, _ change: CommittedChange) throws {
        let statements = opened.statements
        for batch in cut.frozen {
            var origins = ByteWriter()
            for chunk in batch.chunks {
                origins.write(varint: UInt64(try opened.catalog.id(of: chunk.id.task)))
                origins.write(varint: chunk.id.epoch.number)
                origins.write(varint: UInt64(chunk.id.sequence))
                origins.write(varint: UInt64(chunk.rowCount))
            }
            try statements.addBatch.run(
                .integer(try output(batch.table, opened)), .integer(Int64(batch.lineage.number)), .integer(Int64(batch.number.number)),
                .integer(Int64(batch.partition)), .integer(Int64(batch.rowCount)), epoch, .blob(origins.view)
            )
        }
        for id in cut.delivered {
            try statements.setDelivered.run(
                epoch, .integer(cut.wallClock), .integer(try output(id.table, opened)), .integer(Int64(id.lineage.number)),
                .integer(Int64(id.number.number))
            )
            let chunks = opened.batchChunks[id] ?? []
            guard !chunks.isEmpty else { throw StateError(.bug, "batch \(id) was delivered, but the state does not hold it") }
            for chunk in chunks {
                guard let row = opened.chunkRows[chunk] else { throw StateError(.bug, "batch \(id) lacks a chunk of its rows") }
                try statements.removeChunk.run(.integer(row))
            }
        }
    }

    private func output(_ table: String, _ opened: Opened) throws -> Int64 {
        guard let id = opened.catalog.outputs[table] else { throw StateError(.bug, "the undeclared output table \(table)") }
        return id
    }

    private func lastID(_ statements: CommitStatements) throws -> Int64 {
        defer { statements.lastID.reset() }
        _ = try statements.lastID.step()
        return statements.lastID.integer(0)
    }
}
