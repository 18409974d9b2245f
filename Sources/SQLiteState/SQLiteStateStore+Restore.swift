import Engine

extension SQLiteStateStore {
    /// Reads everything but the state tables' records.
    func restoredState(isNew: Bool, _ opened: Opened) throws -> RestoredState {
        let lineage = Lineage(UInt32(try meta.requiredNumber("lineage", StoredBounds.lineage)))
        let ends = try lineageEnds(lineage, opened)
        guard let hashKey = try HashKeyEntry(database: database).read() else { throw damaged("it lacks its entry '\(HashKeyEntry.name)'") }
        var restored = RestoredState(
            isNew: isNew, lineage: lineage, identity: try meta.value("identity") ?? "", hashKey: hashKey, epoch: opened.compactor.lastEpoch,
            partitions: try PartitionTable(database: database).all(),
            tasks: try tasks(opened), messages: try messages(opened), outbox: try outbox(lineage, opened),
            rollback: try rollback(lineage, ends),
            lineageEnds: ends
        )
        restored.lastReadAt = try opened.tables.offsets.lastCommittedAt().map(EventTime.init(milliseconds:))
        restored.skipped = try SkipEntries(database: database).all()
        return restored
    }

    private func tasks(_ opened: Opened) throws -> [TaskID: RestoredTask] {
        var tasks: [TaskID: RestoredTask] = [:]
        let raises = try PlacementEntries(database: database).raisesByTask()
        for task in try opened.tables.tasks.all() {
            let watermark = task.watermark ?? .distantPast
            tasks[task.id] = RestoredTask(watermark: watermark, isEnded: task.isEnded, position: task.position, raise: raises["\(task.id)"])
            opened.watermarks[task.id] = watermark
        }
        return tasks
    }

    private func messages(_ opened: Opened) throws -> [MessageBatch] {
        var messages: [MessageBatch] = []
        try opened.tables.messages.forEach { stored in
            let batch = try opened.catalog.batch(stored)
            guard opened.messageRows.updateValue(stored.number, forKey: batch.id) == nil else {
                throw damaged("a batch between tasks is there twice")
            }
            messages.append(batch)
        }
        return messages
    }

    private func outbox(_ lineage: Lineage, _ opened: Opened) throws -> [RestoredOutboxTable] {
        var chunks = try chunks(opened)
        return try opened.catalog.outputs.sorted { $0.key < $1.key }.map { table, id in
            // Those after the last delivered one: a ledger of a week is not gone through.
            let undelivered = try opened.tables.batches.undelivered(lineage, ofTable: id).map { row in
                let members = try row.origins.map { origin in
                    guard let task = opened.catalog.taskIDs[origin.task],
                        let chunk = chunks.removeValue(
                            forKey: ChunkID(table: table, task: task, epoch: origin.epoch, sequence: origin.chunk))
                    else { throw damaged("batch \(table):\(row.number) lacks some of its rows") }
                    return chunk
                }
                guard let layout = members.first?.layout, members.allSatisfy({ $0.layout == layout }) else {
                    throw damaged("batch \(table):\(row.number) has rows of no layout, or of several")
                }
                let frozen = SinkBatch(
                    table: table, lineage: lineage, number: row.number, layout: layout, partition: row.partition, chunks: members)
                guard frozen.rowCount == row.rows else {
                    throw damaged("batch \(table):\(row.number) has another number of rows than its chunks")
                }
                opened.batchChunks[frozen.id] = members.map(\.id)
                return frozen
            }
            let pending = chunks.values.filter { $0.id.table == table }.sorted {
                (opened.chunkRows[$0.id] ?? 0) < (opened.chunkRows[$1.id] ?? 0)
            }
            return RestoredOutboxTable(
                table: table, lastFrozen: try opened.tables.batches.lastNumber(lineage, ofTable: id), pending: pending,
                undelivered: undelivered,
                layouts: opened.catalog.layouts.tables(named: OutboxTable.table(ofName: table))
            )
        }
    }

    private func chunks(_ opened: Opened) throws -> [ChunkID: OutboxChunk] {
        var chunks: [ChunkID: OutboxChunk] = [:]
        try opened.tables.outbox.forEach { stored in
            guard let task = opened.catalog.taskIDs[stored.task], let table = opened.catalog.outputNames[stored.table] else {
                throw damaged("outgoing rows of an unknown task or table")
            }
            guard let layout = opened.catalog.layouts.table(stored.layout), layout.name == OutboxTable.table(ofName: table) else {
                throw damaged("outgoing rows of table \(table) have an unknown layout")
            }
            let id = ChunkID(table: table, task: task, epoch: stored.epoch, sequence: stored.sequence)
            let chunk = OutboxChunk(id: id, layout: layout, partition: stored.partition, rowCount: stored.rowCount, bytes: stored.bytes)
            // Each column of a row takes a byte at least.
            guard chunk.rowCount > 0, chunk.rowCount <= chunk.bytes.count else {
                throw damaged("outgoing rows of table \(table) are fewer than they say")
            }
            opened.chunkRows[id] = stored.number
            guard chunks.updateValue(chunk, forKey: id) == nil else { throw damaged("outgoing rows of table \(table) are there twice") }
        }
        return chunks
    }

    func damaged(_ what: String) -> StateError { database.damaged(what) }

    package func restore(_ task: any StreamTask, memoryBudget: Int) throws {
        try exclusively {
            let opened = try ready()
            for table in task.stateTables {
                guard let group = group(task.id, table.schema.table, opened) else { continue }
                try restoreCompacted(table, group, opened.tables.keyed, memoryBudget: memoryBudget)
                try restoreDeltas(table, opened.compactor.waiting.rows(of: group))
            }
        }
    }

    private func restoreCompacted(_ table: any StateTable, _ group: RecordGroup, _ keyed: KeyedRows, memoryBudget: Int) throws {
        var unloaded: [UInt8]?
        try keyed.forEach(in: group) { key, record in
            // What can't be loaded within the budget is read when it is asked for.
            guard table.memoryBytes <= memoryBudget || table.isHeldWhole else {
                unloaded = key.copy()
                return false
            }
            guard table.restore(.stored(key: key, record: record), isCompacted: true) else {
                throw damaged("a record of table \(table.schema.table)")
            }
            return true
        }
        if let unloaded { try noteUnloaded(from: unloaded, table, group, keyed) }
    }

    /// Tells the table of every window that has keys at or after `first`, without reading them all.
    private func noteUnloaded(from first: [UInt8], _ table: any StateTable, _ group: RecordGroup, _ keyed: KeyedRows) throws {
        var from = first
        while let found = try keyed.firstKey(in: group, from: from) {
            guard found.withUnsafeBytes({ table.noteUnloaded(ByteView($0)) }) else { throw damaged("a key of table \(table.schema.table)") }
            guard table.schema.key == .windowAndKey else { return }
            guard let next = WindowKey.next(after: found) else { return }
            from = next
        }
    }

    private func restoreDeltas(_ table: any StateTable, _ rows: some Collection<Int64>) throws {
        try DeltaLog(database).forEachChanges(of: rows) { changes in
            var isApplied = true
            let isComplete = StateDelta.forEachChange(in: changes) { change in
                isApplied = isApplied && table.restore(change, isCompacted: false)
            }
            guard isComplete && isApplied else { throw damaged("a delta of table \(table.schema.table)") }
        }
    }
}
