import Engine

/// What a sink does beyond taking batches, with the guarantees of `BatchSink`.
extension SimulatedSink {
    /// Between two looks at a deletion.
    private static let askAgain = Duration.milliseconds(700)

    /// What the sink holds must fit the state's ledger; blocks, and throws `retry` when nobody answers. Without a process it takes no
    /// time, and a sink that is down is not asked.
    func open(_ tables: [SinkTable], by process: SimulatedProcess?) throws {
        try process?.pause(random.milliseconds(in: 1...50))
        if isDown {
            if process == nil { return }
            throw SimulatedFailure(.retry, "the sink does not answer")
        }
        for table in tables {
            let held = counts.keys.filter { $0.table == table.table.name }.sorted { ($0.lineage, $0.number) < ($1.lineage, $1.number) }
            if table.isNewState, let found = held.first {
                throw SimulatedFailure(.invalid, "the state is new, and the sink holds \(found) of lineage \(found.lineage)")
            }
            if let found = held.first(where: { $0.lineage == table.lineage && $0.number.number > table.lastFrozen?.number ?? 0 }) {
                throw SimulatedFailure(.invalid, "the sink holds \(found), the state made batches up to \(table.lastFrozen?.number ?? 0)")
            }
            if let ends = table.lineageEnds, let found = held.first(where: { $0.lineage < table.lineage && !isCounted($0, by: ends) }) {
                throw SimulatedFailure(.invalid, "the sink holds \(found) of lineage \(found.lineage), which the state does not count")
            }
            if let found = held.first(where: { $0.lineage > table.lineage }) {
                throw SimulatedFailure(.fenced, "the sink holds \(found) of lineage \(found.lineage), the state is of \(table.lineage)")
            }
        }
    }

    private func isCounted(_ id: SinkBatchID, by ends: [LineageEnd]) -> Bool {
        ends.contains { end in end.lineage == id.lineage && end.lastBatch.map { id.number <= $0 } ?? false }
    }

    /// Takes back the rows of earlier lineages that the plan does not count from the tables of these names; how many there were
    /// at first. Blocks for as long as the sink is down, and goes on at once when the process died.
    func rollBack(_ plan: RollbackPlan, from tables: [String], by process: SimulatedProcess) throws -> Int {
        try awaitQuiet(before: plan.lineage, process)
        var found: Int?
        while true {
            try process.pause(SimulatedSink.askAgain)
            guard !isDown, mutations == 0 else { continue }
            let left = uncounted(plan, in: tables)
            found = found ?? left.reduce(0) { $0 + (counts[$1] ?? 0) }
            if left.isEmpty { return found ?? 0 }
            guard !random.percent(faults.requestLost) else { continue }
            mutate(deleting: left)
        }
    }

    private func uncounted(_ plan: RollbackPlan, in tables: [String]) -> Set<SinkBatchID> {
        Set(
            counts.keys.filter { tables.contains($0.table) && $0.lineage < plan.lineage && !isCounted($0, by: plan.tables[$0.table] ?? []) }
        )
    }

    /// Waits until nothing of an earlier lineage has been seen running for the whole resolve delay.
    private func awaitQuiet(before lineage: Lineage, _ process: SimulatedProcess) throws {
        var quiet = time.now
        while time.now - quiet < resolveDelay {
            try process.pause(SimulatedSink.askAgain)
            if isDown || running.contains(where: { $0.lineage < lineage }) { quiet = time.now }
        }
    }

    /// Deletes what is there now, sooner or later, whatever becomes of who asked for it and of the server.
    private func mutate(deleting batches: Set<SinkBatchID>) {
        mutations += 1
        time.after(random.milliseconds(in: 10...random.number(in: 10...9_000))) { [self] in
            mutations -= 1
            rows.removeAll { batches.contains($0.batch) }
            for batch in batches { counts[batch] = nil }
        }
    }
}
