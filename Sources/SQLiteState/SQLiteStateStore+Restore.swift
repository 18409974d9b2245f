import Engine

extension SQLiteStateStore {
    /// Reads everything but the state tables' records.
    func restoredState(isNew: Bool, _ opened: Opened) throws -> RestoredState {
        let epoch = Epoch(UInt64(try database.number(try meta("epoch"), of: "epoch", StoredBounds.counter)))
        let lineage = Lineage(UInt32(try database.number(try meta("lineage"), of: "lineage", StoredBounds.lineage)))
        opened.lastEpoch = epoch
        try readCompactionStatus(opened)
        let ends = try lineageEnds(lineage, opened)
        guard let hashKey = try HashKeyEntry(database: database).read() else { throw damaged("it lacks its entry '\(HashKeyEntry.name)'") }
        var restored = RestoredState(
            isNew: isNew, lineage: lineage, identity: try identity(), hashKey: hashKey, epoch: epoch,
            partitions: try CheckpointFacts.partitions(database),
            tasks: try tasks(opened), messages: try messages(opened), outbox: try outbox(lineage, opened),
            rollback: try rollback(lineage, ends),
            lineageEnds: ends
        )
        restored.lastReadAt = try lastReadAt()
        restored.skipped = try SkipEntries(database: database).all()
        return restored
    }

    private func lastReadAt() throws -> EventTime? {
        let newest = try Statement(database, "SELECT committed_at FROM epoch_offsets ORDER BY epoch DESC LIMIT 1")
        defer { newest.reset() }
        return try newest.step() ? EventTime(milliseconds: newest.clock(0)) : nil
    }

    /// Files of the first versions have none.
    private func identity() throws -> String {
        try database.meta("identity") ?? ""
    }

    private func tasks(_ opened: Opened) throws -> [TaskID: RestoredTask] {
        var tasks: [TaskID: RestoredTask] = [:]
        let raises = try PlacementEntries(database: database).raisesByTask()
        let statement = try Statement(
            database, "SELECT id, watermark, next_offset, last_offset, last_timestamp, last_checksum, ended FROM task")
        while try statement.step() {
            guard let task = opened.catalog.taskIDs[statement.integer(0)] else { continue }
            let watermark = statement.isNull(1) ? EventTime.distantPast : try statement.eventTime(1)
            let position = try statement.position(next: 2)
            tasks[task] = RestoredTask(
                watermark: watermark, isEnded: statement.integer(6) != 0, position: position, raise: raises["\(task)"])
            opened.watermarks[task] = watermark
        }
        return tasks
    }

    private func messages(_ opened: Opened) throws -> [MessageBatch] {
        var messages: [MessageBatch] = []
        let statement = try Statement(
            database, "SELECT sequence, sender, receiver, epoch, count, layout, bytes FROM message ORDER BY sequence")
        while try statement.step() {
            guard let sender = opened.catalog.taskIDs[statement.integer(1)], let receiver = opened.catalog.taskIDs[statement.integer(2)]
            else {
                throw damaged("a batch between tasks names an unknown task")
            }
            let id = MessageBatchID(from: sender, to: receiver, epoch: try statement.epoch(3))
            guard opened.messageRows.updateValue(try statement.rowNumber(0), forKey: id) == nil else {
                throw damaged("a batch between tasks is there twice")
            }
            let stored = MessageBatch(id: id, count: try statement.count(4), bytes: statement.blob(6).copy())
            // A message takes two bytes at least.
            guard stored.count <= stored.bytes.count / 2 else { throw damaged("a batch between tasks has fewer messages than it says") }
            messages.append(try opened.catalog.messageLayouts.read(stored, laidOut: statement.integer(5), in: database))
        }
        return messages
    }

    private func outbox(_ lineage: Lineage, _ opened: Opened) throws -> [RestoredOutboxTable] {
        var chunks = try chunks(opened)
        var undelivered: [String: [SinkBatch]] = [:]
        // Those after the last delivered one: a ledger of a week is not gone through.
        let batch = try Statement(
            database,
            """
            SELECT b.output_table, b.number, b.partition, b.rows, b.origins FROM output_table CROSS JOIN batch AS b ON b.output_table = id
            WHERE b.lineage = ?1 AND b.delivered_epoch IS NULL AND b.number > coalesce(
                (SELECT number FROM batch WHERE output_table = id AND lineage = ?1 AND delivered_epoch IS NOT NULL ORDER BY number DESC LIMIT 1), 0)
            ORDER BY b.output_table, b.number
            """)
        try batch.bind(.integer(Int64(lineage.number)))
        while try batch.step() {
            guard let table = opened.catalog.outputNames[batch.integer(0)] else { throw damaged("a batch of an unknown table") }
            let number = try batch.batchNumber(1)
            var members: [OutboxChunk] = []
            var origins = ByteReader(batch.blob(4))
            while !origins.isAtEnd {
                let task = opened.catalog.taskIDs[Int64(truncatingIfNeeded: origins.varint())]
                let epoch = origins.epoch()
                let sequence = origins.count()
                _ = origins.count()
                guard !origins.failed, let task,
                    let chunk = chunks.removeValue(forKey: ChunkID(table: table, task: task, epoch: epoch, sequence: sequence))
                else {
                    throw damaged("batch \(table):\(number) lacks some of its rows")
                }
                members.append(chunk)
            }
            guard let layout = members.first?.layout, members.allSatisfy({ $0.layout == layout }) else {
                throw damaged("batch \(table):\(number) has rows of no layout, or of several")
            }
            let frozen = SinkBatch(
                table: table, lineage: lineage, number: number, layout: layout, partition: try batch.tablePartition(2), chunks: members)
            guard frozen.rowCount == (try batch.count(3)) else {
                throw damaged("batch \(table):\(number) has another number of rows than its chunks")
            }
            opened.batchChunks[frozen.id] = members.map(\.id)
            undelivered[table, default: []].append(frozen)
        }
        return try opened.catalog.outputs.map { name, id in
            let last = try Statement(database, "SELECT max(number) FROM batch WHERE output_table = ? AND lineage = ?")
            try last.bind(.integer(id), .integer(Int64(lineage.number)))
            _ = try last.step()
            let pending = chunks.values.filter { $0.id.table == name }.sorted {
                (opened.chunkRows[$0.id] ?? 0) < (opened.chunkRows[$1.id] ?? 0)
            }
            return RestoredOutboxTable(
                table: name, lastFrozen: last.isNull(0) ? nil : try last.batchNumber(0), pending: pending,
                undelivered: undelivered[name] ?? [], layouts: opened.catalog.layouts.tables(named: OutboxTable.table(ofName: name))
            )
        }.sorted { $0.table < $1.table }
    }

    private func chunks(_ opened: Opened) throws -> [ChunkID: OutboxChunk] {
        var chunks: [ChunkID: OutboxChunk] = [:]
        let statement = try Statement(
            database, "SELECT sequence, task, output_table, epoch, chunk, partition, rows, layout, bytes FROM outbox")
        while try statement.step() {
            guard let task = opened.catalog.taskIDs[statement.integer(1)], let table = opened.catalog.outputNames[statement.integer(2)]
            else {
                throw damaged("outgoing rows of an unknown task or table")
            }
            guard let layout = opened.catalog.layouts.table(statement.integer(7)), layout.name == OutboxTable.table(ofName: table) else {
                throw damaged("outgoing rows of table \(table) have an unknown layout")
            }
            let id = ChunkID(table: table, task: task, epoch: try statement.epoch(3), sequence: try statement.count(4))
            let chunk = OutboxChunk(
                id: id, layout: layout, partition: try statement.tablePartition(5), rowCount: try statement.count(6),
                bytes: statement.blob(8).copy()
            )
            // Each column of a row takes a byte at least.
            guard chunk.rowCount > 0, chunk.rowCount <= chunk.bytes.count else {
                throw damaged("outgoing rows of table \(table) are fewer than they say")
            }
            opened.chunkRows[id] = try statement.rowNumber(0)
            guard chunks.updateValue(chunk, forKey: id) == nil else { throw damaged("outgoing rows of table \(table) are there twice") }
        }
        return chunks
    }

    func damaged(_ what: String) -> StateError { database.damaged(what) }

    public func restore(_ task: any StreamTask, memoryBudget: Int) throws {
        try exclusively {
            let opened = try ready()
            for table in task.stateTables {
                guard let (taskID, tableID) = stored(task.id, table.schema.table, opened) else { continue }
                try restoreCompacted(table, taskID, tableID, memoryBudget: memoryBudget)
                try restoreDeltas(table, opened.uncompacted.rows(of: CompactionGroup(task: taskID, table: tableID)))
            }
        }
    }

    private func restoreCompacted(_ table: any StateTable, _ task: Int64, _ tableID: Int64, memoryBudget: Int) throws {
        let statement = try Statement(database, "SELECT key, record FROM keyed WHERE task = ? AND state_table = ? ORDER BY key")
        try statement.bind(.integer(task), .integer(tableID))
        defer { statement.reset() }
        while try statement.step() {
            // What can't be loaded within the budget is read when it is asked for.
            if table.memoryBytes > memoryBudget && !table.isHeldWhole {
                let key = statement.blob(0).copy()
                statement.reset()
                return try noteUnloaded(from: key, table, task, tableID)
            }
            guard table.restore(.stored(key: statement.blob(0), record: statement.blob(1)), isCompacted: true) else {
                throw damaged("a record of table \(table.schema.table)")
            }
        }
    }

    /// Tells the table of every window that has keys at or after `first`, without reading them all.
    private func noteUnloaded(from first: [UInt8], _ table: any StateTable, _ task: Int64, _ tableID: Int64) throws {
        let next = try Statement(database, "SELECT key FROM keyed WHERE task = ? AND state_table = ? AND key >= ? ORDER BY key LIMIT 1")
        var from = first
        while true {
            let found: [UInt8]? = try from.withUnsafeBytes { bytes in
                try next.bind(.integer(task), .integer(tableID), .blob(ByteView(bytes)))
                defer { next.reset() }
                return try next.step() ? next.blob(0).copy() : nil
            }
            guard let found else { return }
            guard found.withUnsafeBytes({ table.noteUnloaded(ByteView($0)) }) else { throw damaged("a key of table \(table.schema.table)") }
            guard table.schema.key == .windowAndKey else { return }
            from = DeltaCompaction.keyAfterWindow(of: found)
        }
    }

    private func restoreDeltas(_ table: any StateTable, _ rows: some Collection<Int64>) throws {
        try UncompactedDeltas.forEachChanges(of: rows, in: database) { changes in
            var isApplied = true
            let isComplete = StateDelta.forEachChange(in: changes) { change in
                isApplied = isApplied && table.restore(change, isCompacted: false)
            }
            guard isComplete && isApplied else { throw damaged("a delta of table \(table.schema.table)") }
        }
    }
}
