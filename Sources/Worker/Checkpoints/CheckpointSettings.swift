import Engine

/// Where a worker's checkpoints go, and how often. The engine's rules are its members as if they were its own.
@dynamicMemberLookup
public struct CheckpointSettings: Sendable {
    public let archive: any CheckpointArchive
    public var rules = CheckpointRules()

    public init(archive: any CheckpointArchive) { self.archive = archive }

    public subscript<Value>(dynamicMember member: WritableKeyPath<CheckpointRules, Value>) -> Value {
        get { rules[keyPath: member] }
        set { rules[keyPath: member] = newValue }
    }
}
