import Engine

/// Where a worker's checkpoints go, and how often. The engine's rules are its members as if they were its own.
@dynamicMemberLookup
package struct CheckpointSettings: Sendable {
    package let archive: any CheckpointArchive
    package var rules = CheckpointRules()

    package init(archive: any CheckpointArchive) { self.archive = archive }

    package subscript<Value>(dynamicMember member: WritableKeyPath<CheckpointRules, Value>) -> Value {
        get { rules[keyPath: member] }
        set { rules[keyPath: member] = newValue }
    }
}
