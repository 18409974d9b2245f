import CheckpointStores
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
        guard configuration.state.restore != .never, try isEmpty(directory), let (manifest, later) = try chosen() else { return }
        if let newest = later.manifests.first { try refuseRunningOwner(newest) }
        // A shared state goes on where its newest checkpoint ends; anything before that leaves rows in the sink.
        let isAhead = configuration.state.durability == .local || later.manifests.count + later.unreadable > 1
        let lineage = Lineage((later.manifests.map(\.lineage.number).max() ?? manifest.lineage.number) + 1 + UInt32(later.unreadable))
        if isAhead && configuration.kafkaOutput.isEnabled {
            throw CheckpointError(.invalid, "the state directory is empty, and with output.kafka.enabled a checkpoint can't be restored: what is in Kafka since then can't be withdrawn. Use the state directory as the last run left it, or begin anew with state.restore: never, another checkpoints.store, new tables and new topics")
        }
        logger.notice("the state directory is empty: restoring checkpoint \(manifest.number) of \(store.location) (epoch \(manifest.epoch), \(manifest.bytes) bytes, \(manifest.reason))")
        let scratch = directory.path + "/restoring"
        try? FileManager.default.removeItem(atPath: scratch)
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let files = try store.fetch(manifest, into: scratch)
        try StoreArchive.noteRestored(over: later.manifests, stateDirectory: directory.path)
        try StateAssembly.assemble(
            base: files.base, deltas: files.deltas, into: directory.stateFile, beginning: isAhead ? lineage : nil
        )
        logger.notice("restored; the job goes on from epoch \(manifest.epoch)\(isAhead ? " in lineage \(lineage)" : "")")
    }

    /// True also for what a start left that was refused before its first epoch; a state that the newest checkpoint is of goes on.
    private func isEmpty(_ directory: StateDirectory) throws -> Bool {
        guard FileManager.default.fileExists(atPath: directory.stateFile) else { return true }
        guard try directory.isWithoutEpochs(), let newest = try store.liveCheckpoints().first, case .success(let manifest) = newest.manifest else { return false }
        return try !StoreArchive.isOwn(manifest, stateDirectory: directory.path)
    }

    /// The restored checkpoint and those after it.
    private struct Later {
        /// Newest first; the restored one is the last.
        var manifests: [Manifest] = []
        var unreadable = 0
    }

    /// The checkpoint to restore, and what there is from it on; nil when there is none at all.
    private func chosen() throws -> (Manifest, Later)? {
        guard let number = try store.newestNumber() else { return nil }
        let manifest = try configuration.state.restore == .latest ? newestVerified(upTo: number) : named()
        var later = Later()
        for checkpoint in try store.liveCheckpoints() where checkpoint.number >= manifest.number {
            if let readable = try checkpoint.manifest(unless: [.corrupt, .missing]) {
                later.manifests.append(readable)
            } else {
                later.unreadable += 1
            }
        }
        try refuseAbandoned(manifest, later)
        return (manifest, later)
    }

    private func newestVerified(upTo number: ManifestNumber) throws -> Manifest {
        let verified = try store.newestVerified(deep: false) { number, error in logger.error("checkpoint \(number) is refused: \(error)") }
        guard let verified else {
            throw CheckpointError(.corrupt, "none of the checkpoints up to \(number) of \(store.location) can be restored; see `checkpoint verify --all`, or begin anew with state.restore: never, another checkpoints.store and new tables")
        }
        return verified
    }

    private func named() throws -> Manifest {
        guard case .reference(let text) = configuration.state.restore else { throw CheckpointError(.bug, "no checkpoint is named") }
        let manifest = try store.resolve(CheckpointReference(text))
        try store.verify(manifest, deep: false)
        return manifest
    }

    /// A later lineage that began before this checkpoint has withdrawn rows that the checkpoint counts as delivered.
    private func refuseAbandoned(_ manifest: Manifest, _ all: Later) throws {
        if let later = all.manifests.first(where: manifest.isAbandoned) {
            throw CheckpointError(.invalid, "checkpoint \(manifest.number) (epoch \(manifest.epoch)) can't be restored any more: checkpoint \(later.number) is of lineage \(later.lineage) and of epoch \(later.epoch), so rows that this one counts were withdrawn. Name one of lineage \(later.lineage) or later")
        }
    }

    /// Checkpoints that no worker has gone on from: it drained, or the checkpoint tool wrote them.
    private static let unowned: Set<CheckpointReason> = [.drain, .rewind, .copy]

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
