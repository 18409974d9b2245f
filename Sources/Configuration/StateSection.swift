import Engine

/// `state`: what the worker keeps on this machine.
package struct StateSection: Sendable {
    /// `state.directory`: holds the state file; one worker at a time. Relative to the working directory.
    package var directory = "./state"
    /// `state.memoryBudget`: bytes of keyed state held in memory.
    package var memoryBudget = 512 << 20
    /// `state.namesPerRecord`: how many names a set, or counts, of one record hold; what comes beyond it counts as another.
    package var namesPerRecord = NameBound.usual
    /// `state.restore`: what becomes of an empty state directory.
    package var restore = Restore.latest
    /// `state.durability`: when rows may leave: when their epoch is on this disk, or in the checkpoint store.
    package var durability = Durability.local

    package enum Restore: Sendable, Equatable {
        /// The newest checkpoint that is whole is restored; without any the state begins anew.
        case latest
        /// The state begins anew.
        case never
        /// This checkpoint is restored: a number, `latest~2`, `@<time>` or `tag:<name>`.
        case reference(String)
    }

    init(_ reader: inout SettingsReader) {
        // An address, which may hold a password, would be made as a directory, and shown as one.
        directory = reader.value(
            "state.directory", default: directory, expected: "the path of a directory (an address such as s3://… goes to checkpoints.store)"
        ) {
            $0.isEmpty || $0.holds("://") ? nil : $0
        }
        memoryBudget = reader.bytes("state.memoryBudget", default: memoryBudget, from: "16MiB", to: "1TiB")
        namesPerRecord = reader.integer("state.namesPerRecord", default: namesPerRecord, in: NameBound.least...16_777_216)
        restore = reader.value(
            "state.restore", default: restore,
            expected: "latest, never, or a checkpoint: its number, latest~2, @2026-09-01T10:00Z or tag:name"
        ) { text in
            switch text {
            case "": nil
            case "latest": .latest
            case "never": .never
            default: .reference(text)
            }
        }
        durability = reader.value("state.durability", default: durability, expected: "local or shared") { Durability(rawValue: $0) }
    }
}

/// `references`: the tables that the job looks things up in.
package struct ReferenceSection: Sendable {
    /// `references.memoryLimit`: bytes that all of them may take; beyond that the worker ends with an error.
    package var memoryLimit = 1 << 30

    init(_ reader: inout SettingsReader) {
        memoryLimit = reader.bytes("references.memoryLimit", default: memoryLimit, from: "1MiB", to: "1TiB")
    }
}
