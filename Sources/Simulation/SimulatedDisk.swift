import Engine

/// What survives a crash: the sum of the cuts that became durable, kept as plainly as can be.
package final class SimulatedDisk {
    struct TableID: Hashable {
        let id: TaskID
        let table: String
    }

    struct Delta {
        let table: TableID
        let bytes: [UInt8]
    }

    /// A cut, and how the version of the job that made it lays out what it sends between its stages.
    struct Commit {
        let cut: EpochCut
        let sent: [StageName: StoredMessageLayout]
    }

    struct StoredMessages {
        let batch: MessageBatch
        let layout: StoredMessageLayout
    }

    /// True once somebody opened it.
    var isInUse = false
    private(set) var epoch = Epoch(0)
    private(set) var compactedThrough = Epoch(0)
    private(set) var partitions: [String: Int] = [:]
    private var positions: [TaskID: RestoredTask] = [:]
    private var messages: [StoredMessages] = []
    private var chunks: [OutboxChunk] = []
    /// Frozen and not recorded as delivered, by number.
    private(set) var undelivered: [SinkBatchID: SinkBatch] = [:]
    private(set) var lastFrozen: [String: BatchNumber] = [:]
    /// Each table as the versions of the job that were at work declared it.
    private(set) var layouts: [String: [OutputTable]] = [:]
    /// Every batch that was ever frozen, with its chunks: what a sink may be sent.
    private var frozen: [SinkBatchID: (chunks: [OutboxChunk], epoch: Epoch)] = [:]
    private(set) var keyed: [TableID: [[UInt8]: [UInt8]]] = [:]
    private(set) var deltas: [Delta] = []
    /// What a cut said that can't be.
    package private(set) var violations: [String] = []
    private(set) var lineage = Lineage.first
    private(set) var lineageEnds: [String: [LineageEnd]] = [:]
    private(set) var rollback: RollbackPlan.Stage?
    /// What tells this state from others.
    let identity: String
    let hashKey: HashKey
    /// The cuts since an epoch, for the next delta.
    private(set) var kept: [Commit] = []
    private(set) var keptAfter = Epoch(0)
    /// False while changes stay no longer than until they are compacted: nobody wants them, or they became too many.
    private(set) var isKeeping = false
    /// How often the state was made final.
    private(set) var finals = 0
    /// True from then on until a checkpoint of it is in the store.
    private(set) var supersedes = false

    package init(identity: String = "", hashKey: HashKey = HashKey(first: 0, second: 0)) {
        self.identity = identity
        self.hashKey = hashKey
    }

    /// The same content, on another disk.
    init(copying other: SimulatedDisk) {
        (epoch, compactedThrough, partitions, positions, messages) = (
            other.epoch, other.compactedThrough, other.partitions, other.positions, other.messages
        )
        (chunks, undelivered, lastFrozen, frozen, layouts) = (
            other.chunks, other.undelivered, other.lastFrozen, other.frozen, other.layouts
        )
        (keyed, deltas, lineage, lineageEnds) = (other.keyed, other.deltas, other.lineage, other.lineageEnds)
        (rollback, identity, hashKey, keptAfter, finals) = (other.rollback, other.identity, other.hashKey, other.epoch, other.finals)
        isInUse = true
    }

    /// Begins a lineage: what is not known to be delivered waits as rows that were never in a batch, and everything that was
    /// delivered beyond is to be rolled back. `tables`: that rows may have been delivered to.
    func begin(_ new: Lineage, tables: Set<String>) {
        for table in tables where layouts[table] == nil { layouts[table] = [] }
        for table in knownTables {
            let undelivered = undelivered.keys.filter { $0.table == table }.map(\.number).min()
            let last = undelivered.map { $0.number - 1 } ?? lastFrozen[table]?.number ?? 0
            lineageEnds[table, default: []].append(LineageEnd(lineage: lineage, lastBatch: last == 0 ? nil : BatchNumber(last)))
        }
        (undelivered, lastFrozen) = ([:], [:])
        (lineage, rollback) = (new, .due)
    }

    /// As a delta says it.
    func take(_ stage: RollbackPlan.Stage?, _ declared: [String: [OutputTable]]) { (rollback, layouts) = (stage, declared) }

    func rollbackDone(isFinal: Bool) { rollback = isFinal ? nil : .again }

    func keepChanges(after epoch: Epoch) {
        isKeeping = true
        drop(through: epoch)
    }

    /// From now on changes stay no longer than until they are compacted.
    func giveUpKeeping() { isKeeping = false }

    private func drop(through epoch: Epoch) {
        guard epoch > keptAfter else { return }
        keptAfter = epoch
        kept.removeAll { $0.cut.epoch <= epoch }
    }

    /// From now on a version of the job is kept out: no epoch's cut says so.
    func makeFinal() {
        finals += 1
        keptAfter = epoch.next
        supersedes = true
    }

    func supersessionDone() { supersedes = false }

    /// The cuts after an epoch; nil when they are not all kept.
    func changes(after epoch: Epoch) -> [Commit]? { epoch >= keptAfter && epoch <= self.epoch ? kept.filter { $0.cut.epoch > epoch } : nil }

    func facts(jobVersion: Int) -> CheckpointFacts {
        CheckpointFacts(
            job: "simulated", jobVersion: jobVersion, stateFormat: 1, identity: identity, hashKey: hashKey, lineage: lineage, epoch: epoch,
            partitions: partitions,
            tasks: positions.sorted { $0.key < $1.key }.map {
                CheckpointFacts.TaskProgress(id: $0, watermark: $1.watermark == .distantPast ? nil : $1.watermark, next: $1.position?.next)
            },
            tables: knownTables.map(restoredOutbox).map {
                CheckpointFacts.TableProgress(name: $0.table, lastFrozen: $0.lastFrozen, lastDelivered: $0.lastDelivered)
            }
        )
    }

    func register(_ new: [String: Int]) { partitions.merge(new) { $1 } }

    /// True when exactly this batch was frozen in a cut that is durable.
    package func holds(_ batch: SinkBatch) -> Bool { frozen[batch.id]?.chunks == batch.chunks }

    /// The epoch in which a batch was frozen.
    func frozenIn(_ id: SinkBatchID) -> Epoch? { frozen[id]?.epoch }

    /// A version of the job declares its tables.
    func declare(_ tables: [OutboxTable]) {
        for table in tables where layouts[table.name]?.contains(table.table) != true {
            layouts[table.name, default: []].append(table.table)
        }
    }

    /// Those of every version of the job, by name.
    private var knownTables: [String] { layouts.keys.sorted() }

    private func restoredOutbox(of table: String) -> RestoredOutboxTable {
        let batches = undelivered.values.filter { $0.table == table }.sorted { $0.number < $1.number }
        let taken = Set(batches.flatMap(\.chunks).map(\.id))
        return RestoredOutboxTable(
            table: table, lastFrozen: lastFrozen[table], pending: chunks.filter { $0.id.table == table && !taken.contains($0.id) },
            undelivered: batches,
            layouts: layouts[table] ?? []
        )
    }

    /// `reading`: makes messages as they were sent those that the version at hand reads.
    func restored(reading: (StoredMessages) throws -> MessageBatch) rethrows -> RestoredState {
        var restored = RestoredState(
            isNew: !isInUse, lineage: lineage, identity: identity, hashKey: hashKey, epoch: epoch, partitions: partitions, tasks: positions,
            messages: try messages.map(reading),
            outbox: knownTables.map(restoredOutbox),
            rollback: rollback.map { RollbackPlan(stage: $0, lineage: lineage, tables: lineageEnds) },
            lineageEnds: lineageEnds
        )
        restored.changeAtRest = supersedes ? .supersedes : .none
        return restored
    }

    /// Makes a cut durable.
    func apply(_ commit: Commit) {
        let cut = commit.cut
        check(cut.epoch == epoch.next, "epoch \(cut.epoch) was committed after \(epoch)")
        epoch = cut.epoch
        for part in cut.tasks { apply(part, commit.sent) }
        kept.append(commit)
        for batch in cut.frozen {
            check(batch.lineage == lineage, "\(batch.id) is of lineage \(batch.lineage), the state of \(lineage)")
            check(
                batch.number == (lastFrozen[batch.table]?.next ?? BatchNumber(1)),
                "\(batch.id) follows \(lastFrozen[batch.table]?.number ?? 0)")
            check(batch.chunks.allSatisfy(chunks.contains), "\(batch.id) holds rows that are not in the outbox")
            lastFrozen[batch.table] = batch.number
            undelivered[batch.id] = batch
            frozen[batch.id] = (batch.chunks, cut.epoch)
        }
        for id in cut.delivered {
            let batch = undelivered.removeValue(forKey: id)
            check(batch != nil, "\(id) was delivered, but not under way")
            let gone = Set((batch?.chunks ?? []).map(\.id))
            chunks.removeAll { gone.contains($0.id) }
        }
    }

    private func apply(_ part: TaskCut, _ sent: [StageName: StoredMessageLayout]) {
        let before = positions[part.task]
        check(part.watermark >= before?.watermark ?? .distantPast, "the watermark of \(part.task) moved back")
        check(part.position?.next ?? .max >= before?.position?.next ?? 0, "the position of \(part.task) moved back")
        positions[part.task] = RestoredTask(
            watermark: part.watermark, isEnded: part.watermark == before?.watermark ? before?.isEnded ?? false : part.isEnded,
            position: part.position ?? before?.position
        )
        deltas += part.deltas.map { Delta(table: TableID(id: part.task, table: $0.table), bytes: $0.bytes) }
        for id in part.received {
            let place = messages.firstIndex { $0.batch.id == id }
            check(place != nil, "\(part.task) processed a message of epoch \(id.epoch) twice, or one that was never sent")
            if let place { messages.remove(at: place) }
        }
        for batch in part.sent {
            let layout = sent[batch.id.to.stage]
            check(layout != nil, "\(part.task) sent to \(batch.id.to), which its version of the job does not declare")
            if let layout { messages.append(StoredMessages(batch: batch, layout: layout)) }
        }
        for chunk in part.rows {
            check(
                layouts[chunk.id.table]?.contains(chunk.layout) == true,
                "\(part.task) wrote rows of \(chunk.id.table) in a layout that is not declared")
        }
        chunks += part.rows
    }

    private func check(_ holds: Bool, _ violation: @autoclosure () -> String) {
        if !holds { violations.append(violation()) }
    }

    /// Moves all deltas into the keyed rows.
    func compact() {
        for delta in deltas {
            var rows = keyed.removeValue(forKey: delta.table) ?? [:]
            let isComplete = delta.bytes.withUnsafeBytes { bytes in
                StateDelta.forEachChange(in: ByteView(bytes)) { change in
                    switch change {
                    case .windowClosed(let prefix):
                        let closed = prefix.copy()
                        rows = rows.filter { !$0.key.starts(with: closed) }
                    case .removed(let key): rows[key.copy()] = nil
                    case .stored(let key, let record): rows[key.copy()] = record.copy()
                    }
                }
            }
            check(isComplete, "a delta of \(delta.table) is damaged")
            keyed[delta.table] = rows
        }
        deltas = []
        compactedThrough = epoch
        if !isKeeping { drop(through: epoch) }
    }
}
