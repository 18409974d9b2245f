import ArgumentParser
import Foundation
import SQLiteState

/// Where checkpoints are.
struct CheckpointSource: ParsableArguments {
    func open(_ reference: String) throws -> OpenedCheckpoint {
        guard CheckpointSource.isPath(reference) else { throw ToolError(.missing, "there is no \(reference)") }
        return OpenedCheckpoint(name: reference, state: try InspectedState(path: reference) { try Scratch.make() })
    }

    static func isPath(_ reference: String) -> Bool {
        reference.contains("/") || FileManager.default.fileExists(atPath: reference)
    }
}
