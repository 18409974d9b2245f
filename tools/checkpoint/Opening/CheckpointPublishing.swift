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
            facts, after: try newestLink(), retaining: [], writer: ToolWriter.name, createdAt: createdAt, reason: reason)
        return try publish(draft, files: files)
    }
}

/// How this process signs what it publishes.
enum ToolWriter {
    static let name = "\(ProcessInfo.processInfo.hostName):\(getpid()):\(String(UInt64.random(in: .min ... .max), radix: 16))"
}
