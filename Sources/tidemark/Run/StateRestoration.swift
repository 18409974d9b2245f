import CheckpointStores
import CommandLineParts
import Configuration
import Engine
import Foundation
import Logging
import SQLiteState
import Worker

/// Fills an empty state directory from a checkpoint before the job starts.
struct StateRestoration {
    let configuration: JobConfiguration
    let store: CheckpointStore
    /// The operator said that the worker that wrote the newest checkpoint is gone.
    let takesOver: Bool
    let logger: Logger

    /// Does nothing where there is a state, or no checkpoint, or when `state.restore` says never. Waits for `room` while a disk
    /// is full.
    func restore(into directory: StateDirectory, _ room: RoomWait) throws {
        guard configuration.state.restore != .never, try room("looking at the state directory", { try isEmpty(directory) }) else { return }
        var wish = try wish()
        let scratch = directory.path + "/restoring"
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        while true {
            guard let found = try choose(wish) else { return }
            if found.lineage != nil && configuration.kafkaOutput.isEnabled {
                throw CheckpointError(.invalid, "the state directory is empty, and with output.kafka.enabled a checkpoint can't be restored: what is in Kafka since then can't be withdrawn. Use the state directory as the last run left it, or begin anew with state.restore: never, another checkpoints.store, new tables and new topics")
            }
            if try restore(found, into: directory, scratch, room, mayFail: wish.named == nil) { return }
            wish.unusable.insert(found.manifest.number)
        }
    }

    /// False when one of the checkpoint's objects is damaged and another checkpoint may be restored instead.
    private func restore(_ found: Restoration, into directory: StateDirectory, _ scratch: String, _ room: RoomWait, mayFail: Bool) throws -> Bool {
        let manifest = found.manifest
        logger.notice("the state directory is empty: restoring checkpoint \(manifest.number) of \(store.location) (epoch \(manifest.epoch), \(manifest.bytes) bytes, \(manifest.reason))")
        do {
            try room("restoring checkpoint \(manifest.number)") { try fill(directory, from: found, scratch) }
        } catch let error as CheckpointError {
            guard error.kind == .corrupt, mayFail else { throw error }
            logger.error("checkpoint \(manifest.number) is refused: \(error)")
            return false
        }
        logger.notice("restored; the job goes on from epoch \(manifest.epoch)\(found.lineage.map { " in lineage \($0)" } ?? "")")
        return true
    }

    private func fill(_ directory: StateDirectory, from found: Restoration, _ scratch: String) throws {
        // What an earlier try left may be what there is no room for.
        try? FileManager.default.removeItem(atPath: scratch)
        // Its objects, and the state file that is made of them.
        try DiskRoom.require(2 * found.manifest.bytes, in: directory.path, to: "restore checkpoint \(found.manifest.number)")
        do {
            try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch let error as CocoaError where error.code == .fileWriteOutOfSpace {
            throw CheckpointError(.retry, "can't create the directory \(scratch): the disk is full; make room there", cause: FullDisk(path: scratch, reason: error.localizedDescription))
        }
        let files = try store.fetch(found.manifest, into: scratch)
        // What is in the way holds nothing, and must not be taken for restored when this start is killed from here on.
        try directory.removeStateFile()
        try StoreArchive.noteRestored(over: found.later, stateDirectory: directory.path)
        try StateAssembly.assemble(
            base: files.base, deltas: files.deltas, into: directory.stateFile, beginning: found.lineage, tables: found.tables, hashKey: found.manifest.hashKey
        )
    }

    /// True also for what a start left that was refused before its first epoch; a state that the newest checkpoint is of goes on.
    private func isEmpty(_ directory: StateDirectory) throws -> Bool {
        guard FileManager.default.fileExists(atPath: directory.stateFile) else { return true }
        return try directory.isWithoutEpochs() && Restoration.isOfOthers(store, stateDirectory: directory.path)
    }

    /// What a start without a state restores; nil when it begins anew.
    func choice() throws -> Restoration? {
        guard configuration.state.restore != .never else { return nil }
        return try choose(wish())
    }

    private func choose(_ wish: Restoration.Wish) throws -> Restoration? {
        try Restoration.choose(in: store, wish) { number, error in logger.error("checkpoint \(number) is refused: \(error)") }
    }

    private func wish() throws -> Restoration.Wish {
        var wish = Restoration.Wish(now: WallTime.now.milliseconds)
        if case .reference(let text) = configuration.state.restore { wish.named = try CheckpointReference(text) }
        wish.takesOver = takesOver
        wish.durability = configuration.state.durability
        wish.interval = configuration.checkpoints.interval
        return wish
    }
}
