import CheckpointStores
import CommandLineParts
import Configuration
import Engine
import Foundation
import KafkaIO
import Logging
import SQLiteState
import Worker

/// What a start meets before it has a state: the state directory, and the store that a checkpoint may come from.
final class RestoredDirectory: RestorationSurroundings {
    private let configuration: JobConfiguration
    private let store: CheckpointStore
    /// The operator said that the worker that wrote the newest checkpoint is gone.
    private let takesOver: Bool
    private let logger: Logger
    /// What is to be filled, and what waits for room there; nil where a checkpoint is only looked for.
    private let filling: (directory: StateDirectory, room: RoomWait)?
    /// What was chosen last.
    private(set) var chosen: Restoration?

    init(
        _ configuration: JobConfiguration, _ store: CheckpointStore, takesOver: Bool, logger: Logger,
        filling: (directory: StateDirectory, room: RoomWait)? = nil
    ) {
        self.configuration = configuration
        self.store = store
        self.takesOver = takesOver
        self.logger = logger
        self.filling = filling
    }

    /// Restores where there is no state, and one is wanted. Waits while a disk is full.
    func run() throws { try restoration.run(in: self) }

    /// Whether a start restores, where there is a checkpoint.
    func isDue() throws -> Bool { try restoration.isDue(in: self) }

    /// What a start without a state restores; nil when it begins anew.
    func choice() throws -> RestorableCheckpoint? { try restoration.choice(in: self) }

    private var restoration: StateRestore {
        let wish: StateRestore.Wish =
            switch configuration.state.restore {
            case .never: .none
            case .reference: .named
            default: .newest
            }
        return StateRestore(wish, irrevocable: configuration.kafkaOutput.isEnabled ? KafkaOutput.name : nil)
    }

    private func beingFilled() throws -> (directory: StateDirectory, room: RoomWait) {
        guard let filling else { throw CheckpointError(.bug, "a checkpoint was only to be looked for, not to be restored") }
        return filling
    }

    /// Also of what a start left that was refused before its first epoch; a state that the newest checkpoint is of goes on.
    func isWithoutState() throws -> Bool {
        let (directory, room) = try beingFilled()
        return try room("looking at the state directory") {
            guard FileManager.default.fileExists(atPath: directory.stateFile) else { return true }
            return try directory.isWithoutEpochs() && Restoration.isOfOthers(store, stateDirectory: directory.path)
        }
    }

    func choose(except unusable: Set<UInt64>) throws -> RestorableCheckpoint? {
        var wish = Restoration.Wish(now: WallTime.now.milliseconds)
        if case .reference(let text) = configuration.state.restore { wish.named = try CheckpointReference(text) }
        wish.takesOver = takesOver
        wish.durability = configuration.state.durability
        wish.interval = configuration.checkpoints.interval
        wish.unusable = Set(unusable.map(ManifestNumber.init))
        chosen = try Restoration.choose(in: store, wish) { number, error in logger.error("checkpoint \(number) is refused: \(error)") }
        return chosen.map { RestorableCheckpoint(number: $0.manifest.number.number, epoch: $0.manifest.epoch, lineage: $0.lineage) }
    }

    func restore(_ checkpoint: RestorableCheckpoint) throws {
        let (directory, room) = try beingFilled()
        guard let chosen, chosen.manifest.number.number == checkpoint.number else {
            throw CheckpointError(.bug, "checkpoint \(checkpoint.number) was not chosen")
        }
        let scratch = directory.path + "/restoring"
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        try room("restoring checkpoint \(checkpoint.number)") { try fill(directory, from: chosen, scratch) }
    }

    private func fill(_ directory: StateDirectory, from found: Restoration, _ scratch: String) throws {
        // What an earlier try left may be what there is no room for.
        try? FileManager.default.removeItem(atPath: scratch)
        // Its objects, and the state file that is made of them.
        try DiskRoom.require(2 * found.manifest.bytes, in: directory.path, to: "restore checkpoint \(found.manifest.number)")
        do {
            try FileManager.default.createDirectory(
                atPath: scratch, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch let error as CocoaError where error.code == .fileWriteOutOfSpace {
            throw CheckpointError(
                .retry, "can't create the directory \(scratch): the disk is full; make room there",
                cause: FullDisk(path: scratch, reason: error.localizedDescription))
        }
        let files = try store.fetch(found.manifest, into: scratch)
        // What is in the way holds nothing, and must not be taken for restored when this start is killed from here on.
        try directory.removeStateFile()
        try StoreArchive.noteRestored(over: found.later, stateDirectory: directory.path)
        try StateAssembly.assemble(
            base: files.base, deltas: files.deltas, into: directory.stateFile, beginning: found.lineage, tables: found.tables,
            hashKey: found.manifest.hashKey
        )
    }

    func tell(_ remark: StartRemark) {
        switch remark {
        case .restores:
            guard let manifest = chosen?.manifest else { return }
            logger.notice(
                "the state directory is empty: restoring checkpoint \(manifest.number) of \(store.location) (epoch \(manifest.epoch), \(manifest.bytes) bytes, \(manifest.reason))"
            )
        case .restored(let checkpoint):
            logger.notice("restored; the job goes on from epoch \(checkpoint.epoch)\(checkpoint.lineage.map { " in lineage \($0)" } ?? "")")
        case .damaged(let checkpoint, let error): logger.error("checkpoint \(checkpoint.number) is refused: \(error)")
        // Of the part of a start that comes once there is a state.
        case .changed, .unasked, .waitsForCheckpoint, .supersessionNotNoted, .hasGrown, .rollsBack: break
        }
    }
}
