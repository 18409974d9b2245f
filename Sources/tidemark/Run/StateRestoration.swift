import CheckpointStores
import CommandLineParts
import CommandLineParts
import Configuration
import Engine
import Foundation
import Logging
import SQLiteState

/// Fills an empty state directory from a checkpoint before the job starts.
struct StateRestoration {
    let configuration: JobConfiguration
    let store: CheckpointStore
    /// The operator said that the worker that wrote the newest checkpoint is gone.
    let takesOver: Bool
    let logger: Logger

    /// A checkpoint of a worker that did not drain is taken without asking when it is older than so many intervals.
    private static let silentIntervals = 3

    /// Does nothing where there is a state, or no checkpoint, or when `state.restore` says never.
    func restore(into directory: StateDirectory) throws {
        guard !FileManager.default.fileExists(atPath: directory.stateFile), configuration.state.restore != .never else { return }
        guard let (manifest, newest) = try chosen() else { return }
        try refuseRunningOwner(newest)
        let isLocal = configuration.state.durability == .local
        if isLocal && configuration.kafkaOutput.isEnabled {
            throw CheckpointError(.invalid, "the state directory is empty, and with output.kafka.enabled a checkpoint can't be restored: what is in Kafka since then can't be withdrawn. Use the state directory as the last run left it, or begin anew with state.restore: never, new tables and new topics")
        }
        logger.notice("the state directory is empty: restoring checkpoint \(manifest.number) of \(store.location) (epoch \(manifest.epoch), \(manifest.bytes) bytes, \(manifest.reason))")
        let scratch = directory.path + "/restoring"
        try? FileManager.default.removeItem(atPath: scratch)
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let files = try store.fetch(manifest, into: scratch)
        try StoreArchive.noteRestored(over: newest, stateDirectory: directory.path)
        try StateAssembly.assemble(
            base: files.base, deltas: files.deltas, into: directory.stateFile, beginning: isLocal ? Lineage(newest.lineage.number + 1) : nil
        )
        logger.notice("restored; the job goes on from epoch \(manifest.epoch)\(isLocal ? " in lineage \(newest.lineage.number + 1)" : "")")
    }

    /// The checkpoint to restore and the newest one that can be read; nil when there is none at all.
    private func chosen() throws -> (Manifest, newest: Manifest)? {
        guard let number = try store.newestNumber() else { return nil }
        var refused = 0
        let verified = try store.newestVerified(deep: false) { number, error in
            refused += 1
            logger.error("checkpoint \(number) is refused: \(error)")
        }
        guard let newest = verified else {
            throw CheckpointError(.corrupt, "none of the checkpoints up to \(number) of \(store.location) can be restored; see `checkpoint verify --all`, or begin anew with state.restore: never and new tables")
        }
        guard case .reference(let text) = configuration.state.restore else { return (newest, newest) }
        let manifest = try store.resolve(CheckpointReference(text))
        try store.verify(manifest, deep: false)
        try refuseAbandoned(manifest)
        return (manifest, newest)
    }

    /// A later lineage that began before this checkpoint has withdrawn rows that the checkpoint counts as delivered.
    private func refuseAbandoned(_ manifest: Manifest) throws {
        for number in try store.liveNumbers() where number > manifest.number {
            guard case .manifest(let later)? = try store.manifest(number), later.lineage > manifest.lineage, [.takeover, .rewind].contains(later.reason), later.epoch < manifest.epoch else { continue }
            throw CheckpointError(.invalid, "checkpoint \(manifest.number) (epoch \(manifest.epoch)) can't be restored any more: checkpoint \(number) went on from epoch \(later.epoch), and the rows after it were withdrawn. Name one of epoch \(later.epoch) or before, or of lineage \(later.lineage) or later")
        }
    }

    /// Checkpoints that no worker has gone on from: it drained, or the checkpoint tool wrote them.
    private static let unowned: Set<CheckpointReason> = [.drain, .rewind, .repartition, .copy]

    /// A configuration that was copied must not take the job away from a worker that runs.
    private func refuseRunningOwner(_ newest: Manifest) throws {
        let age = Duration.milliseconds(WallTime.now.milliseconds - newest.createdAt)
        let silence = configuration.checkpoints.interval * StateRestoration.silentIntervals
        guard !StateRestoration.unowned.contains(newest.reason), age < silence, !takesOver else { return }
        throw CheckpointError(
            .locked, "the state directory is empty, and the worker \(newest.writer) wrote checkpoint \(newest.number) only \(age.components.seconds) s ago and did not drain since: it may be running. If it is gone for good, start with --take-over; else stop it, or wait until its last checkpoint is \(silence.components.seconds) s old"
        )
    }
}
