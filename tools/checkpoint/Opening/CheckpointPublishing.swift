import CheckpointStores
import CommandLineParts
import Engine
import Foundation

extension CheckpointStore {
    /// Publishes files as the checkpoint after the newest. `createdAt`: milliseconds since 1970 UTC.
    func publish(
        _ facts: CheckpointFacts, files: [NewObject], reason: CheckpointReason, createdAt: Int64 = WallTime.now.milliseconds
    ) throws -> Manifest {
        let draft = ManifestDraft(
            parent: try newestLink(), jobVersion: facts.jobVersion, stateFormat: facts.stateFormat, identity: facts.identity, lineage: facts.lineage,
            writer: ToolWriter.name, epoch: facts.epoch, createdAt: createdAt, reason: reason, retained: [], partitions: facts.partitions,
            tasks: facts.tasks.map { TaskPosition(task: $0.id, watermark: $0.watermark?.milliseconds, nextOffset: $0.next) },
            tables: facts.tables.map { TablePosition(name: $0.name, lastFrozen: $0.lastFrozen, lastDelivered: $0.lastDelivered) }
        )
        return try publish(draft, files: files)
    }
}

/// How this process signs what it publishes.
enum ToolWriter {
    static let name = "\(ProcessInfo.processInfo.hostName):\(getpid()):\(String(UInt64.random(in: .min ... .max), radix: 16))"
}
