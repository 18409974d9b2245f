import Engine

/// One process's way to the disk, with the disk's faults.
///
/// `@unchecked Sendable`: a simulation has one thread.
package final class SimulatedStore: StateStore, @unchecked Sendable {
    package struct Faults {
        /// In percent of commits: the process dies before, or after, the commit is durable.
        package var crashBefore = 0
        package var crashAfter = 0
        /// In percent of the pauses between commits: the deltas are compacted.
        package var compact = 20
        /// At most about this many compacted rows of a table are loaded at a start.
        package var loadedRows = Int.max
        /// In percent of commits: the changes that are kept for a delta become too many, and stay no longer than until they are compacted.
        package var outgrown = 0
        /// In percent of copies: the disk has no room for the end of it.
        package var copyFails = 0

        package init() {}
    }

    let disk: SimulatedDisk
    let faults: Faults
    var random: SeededRandom
    private let isFull: () -> Bool
    /// How the messages of other versions of the job are read.
    private let reading: (MessageReading) -> MessageReading
    private(set) var jobVersion = 0
    /// How messages to each stage are laid out by the version that has the store open.
    private var sent: [StageName: StoredMessageLayout] = [:]
    /// Where copies go; nil where none is made.
    let copies: SimulatedCopies?
    /// The copy under way, and how many steps it still needs.
    var copying: (content: FinishedCheckpoint.Content, path: String, steps: Int)?
    /// True while changes since the last base may lack for a reason.
    private(set) var mayLackChanges = false
    /// How many batches between stages were read that another layout laid out.
    private(set) var readMessages = 0
    /// How often an evicted record was read.
    package private(set) var coldReads = 0

    package init(
        _ disk: SimulatedDisk, faults: Faults, random: SeededRandom, copies: SimulatedCopies? = nil,
        reading: @escaping (MessageReading) -> MessageReading = { $0 }, isFull: @escaping () -> Bool
    ) {
        self.disk = disk
        self.copies = copies
        self.faults = faults
        self.random = random
        self.reading = reading
        self.isFull = isFull
    }

    package func open(_ topology: Topology) throws -> RestoredState {
        let layouts = topology.messageLayouts
        jobVersion = topology.version
        sent = Dictionary(uniqueKeysWithValues: layouts.map { ($0, $1.stored(of: $0, since: topology.version)) })
        disk.declare(topology.outboxTables)
        defer { disk.isInUse = true }
        disk.giveUpKeeping()
        return try disk.restored { try read($0, by: layouts[$0.layout.stage]) }
    }

    private func read(_ messages: SimulatedDisk.StoredMessages, by own: MessageLayout?) throws -> MessageBatch {
        let stage = messages.layout.stage
        guard let own else { throw SimulatedFailure(.incompatible, "nobody sends to stage \(stage) any more") }
        let found: MessageReading
        do {
            found = try own.reading(messages.layout)
        } catch {
            throw SimulatedFailure(.incompatible, "messages to stage \(stage) can't be read: \(error.description)")
        }
        if case .mapped = found { readMessages += 1 }
        return try reading(found).apply(to: messages.batch)
    }

    package func register(partitions: [String: Int]) { disk.register(partitions) }

    package func restore(_ streamTask: any StreamTask, memoryBudget: Int) throws {
        for table in streamTask.stateTables {
            let id = SimulatedDisk.TableID(id: streamTask.id, table: table.schema.table)
            let rows = (disk.keyed[id] ?? [:]).sorted { $0.key.lexicographicallyPrecedes($1.key) }
            for (number, row) in rows.enumerated() {
                let isLoaded = number < faults.loadedRows || table.isHeldWhole
                let isRight = row.key.withUnsafeBytes { key in
                    row.value.withUnsafeBytes { record in
                        isLoaded
                            ? table.restore(.stored(key: ByteView(key), record: ByteView(record)), isCompacted: true)
                            : table.noteUnloaded(ByteView(key))
                    }
                }
                guard isRight else { throw SimulatedFailure(.corrupt, "a record of \(id) was refused") }
            }
            for delta in disk.deltas where delta.table == id { try restore(delta, into: table) }
        }
    }

    private func restore(_ delta: SimulatedDisk.Delta, into table: any StateTable) throws {
        var isRight = true
        let isComplete = delta.bytes.withUnsafeBytes { bytes in
            StateDelta.forEachChange(in: ByteView(bytes)) { isRight = table.restore($0, isCompacted: false) && isRight }
        }
        guard isComplete && isRight else { throw SimulatedFailure(.corrupt, "a delta of \(delta.table) was refused") }
    }

    package func commit(_ cut: EpochCut) throws {
        if isFull() { throw SimulatedFailure(.retry, "no space left") }
        if random.percent(faults.crashBefore) { throw SimulatedCrash() }
        disk.apply(SimulatedDisk.Commit(cut: cut, sent: sent))
        if disk.isKeeping, random.percent(faults.outgrown) { outgrow() }
        if random.percent(faults.crashAfter) { throw SimulatedCrash() }
    }

    private func outgrow() {
        disk.giveUpKeeping()
        mayLackChanges = true
    }

    /// What the start found, or a base that is begun, says of the changes that are kept from then on.
    func lacksChanges(_ lacks: Bool) { mayLackChanges = lacks }

    package func maintain(for time: Duration) throws -> Housekeeping {
        if isFull() { throw SimulatedFailure(.retry, "no space left") }
        if random.percent(faults.compact) { disk.compact() }
        let left = [Housekeeping.Left.nothing, .nothing, .nothing, .some, .tooMuch][random.number(in: 0...4)]
        return Housekeeping(compactedThrough: disk.compactedThrough, left: left)
    }

    package func read(task: TaskID, table: String, key: ByteView, _ body: (ByteView) -> Void) {
        coldReads += 1
        guard let record = disk.keyed[SimulatedDisk.TableID(id: task, table: table)]?[key.copy()] else { return }
        record.withUnsafeBytes { body(ByteView($0)) }
    }

    package func scan(task: TaskID, table: String, prefix: ByteView, _ body: (ByteView, ByteView) -> Void) {
        let wanted = prefix.copy()
        let rows = disk.keyed[SimulatedDisk.TableID(id: task, table: table)] ?? [:]
        for (key, record) in rows.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) where key.starts(with: wanted) {
            coldReads += 1
            key.withUnsafeBytes { key in record.withUnsafeBytes { body(ByteView(key), ByteView($0)) } }
        }
    }
}

/// The process died inside a call.
package struct SimulatedCrash: Error {
    package init() {}
}

/// What simulated parts fail with.
package struct SimulatedFailure: Failure {
    package let kind: FailureKind
    package let message: String
    package let cause: (any Error)? = nil

    package init(_ kind: FailureKind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
