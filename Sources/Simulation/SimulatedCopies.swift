import Engine

/// The files of checkpoints, by their names: what is in the store under some name came from one of these.
package final class SimulatedCopies {
    enum Copy {
        case base(SimulatedDisk)
        case delta([SimulatedDisk.Commit], rollback: RollbackPlan.Stage?, declared: [String: [OutputTable]])
    }

    private var copies: [String: Copy] = [:]

    private var names = 0

    /// A name that no copy has or will have.
    func newName() -> String {
        names += 1
        return "copy-\(names)"
    }

    func keep(_ copy: Copy, as name: String) { copies[name] = copy }

    /// A disk with a base and the deltas that follow it; nil when one of these names is no copy's.
    func assemble(_ names: [String]) -> SimulatedDisk? {
        guard let first = names.first, case .base(let base)? = copies[first] else { return nil }
        let disk = SimulatedDisk(copying: base)
        for name in names.dropFirst() {
            guard case .delta(let commits, let rollback, let declared)? = copies[name] else { return nil }
            disk.take(rollback, declared)
            for commit in commits { disk.apply(commit) }
        }
        disk.keepChanges(after: disk.epoch)
        return disk
    }
}

extension SimulatedStore: CheckpointedStore {
    package var exportDirectory: String { "" }

    package func checkpointFacts() -> CheckpointFacts { disk.facts(jobVersion: jobVersion) }

    package func beginCopy(_ content: FinishedCheckpoint.Content, at path: String) -> Bool {
        if case .delta(let epoch) = content, disk.changes(after: epoch) == nil { return false }
        // What was done to the state between two epochs is in no changes, and the epoch after it is not kept either.
        if content == .base { lacksChanges(!keepsChanges(after: disk.epoch)) }
        copying = (content, path, random.number(in: 1...4))
        return true
    }

    package func stepCopy(for time: Duration) throws -> CheckpointFacts? {
        guard let (content, path, steps) = copying else { throw SimulatedFailure(.bug, "nothing is being copied") }
        guard steps == 1 else {
            copying = (content, path, steps - 1)
            return nil
        }
        copying = nil
        if faults.copyFails > 0, random.percent(faults.copyFails) { throw SimulatedFailure(.retry, "there is no room for the copy") }
        switch content {
        case .base: copies?.keep(.base(SimulatedDisk(copying: disk)), as: path)
        case .delta(let epoch):
            guard let commits = disk.changes(after: epoch) else { throw SimulatedFailure(.retry, "the changes came too fast") }
            copies?.keep(.delta(commits, rollback: disk.rollback, declared: disk.layouts), as: path)
        case .nothing: throw SimulatedFailure(.bug, "nothing was to be copied")
        }
        return checkpointFacts()
    }

    package func keepChanges(after epoch: Epoch?) { disk.keepChanges(after: epoch ?? disk.epoch) }

    package func keepsChanges(after epoch: Epoch) -> Bool { disk.changes(after: epoch) != nil }

    package func rollbackDone(isFinal: Bool) { disk.rollbackDone(isFinal: isFinal) }

    package func supersessionDone() { disk.supersessionDone() }
}
