/// The name of a stage of the topology; part of every stored row, so renaming one is a migration.
public struct StageName: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let text: String
    public init(_ text: String) { self.text = text }
    public init(stringLiteral value: String) { self.text = value }
    public var description: String { text }
    public static func < (left: StageName, right: StageName) -> Bool { left.text < right.text }
}

/// One partition of one stage: the unit that is single-threaded, shares nothing and can move.
public struct TaskID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let stage: StageName
    public let partition: Int

    public init(stage: StageName, partition: Int) {
        self.stage = stage
        self.partition = partition
    }

    /// `stage/partition`, as logs and the state file write it.
    public var description: String { "\(stage)/\(partition)" }

    public static func < (left: TaskID, right: TaskID) -> Bool {
        left.stage == right.stage ? left.partition < right.partition : left.stage < right.stage
    }
}

/// A topic's partition in the source.
public struct TopicPartition: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let topic: String
    public let partition: Int

    public init(topic: String, partition: Int) {
        self.topic = topic
        self.partition = partition
    }

    /// `topic[partition]`, as Kafka's tools write it.
    public var description: String { "\(topic)[\(partition)]" }

    public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        left.topic == right.topic ? left.partition < right.partition : left.topic < right.topic
    }
}

/// The number of a common cut of all tasks of a worker; the first is 1.
public struct Epoch: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: UInt64
    public init(_ number: UInt64) { self.number = number }
    public var next: Epoch { Epoch(number + 1) }
    public var description: String { String(number) }
    public static func < (left: Epoch, right: Epoch) -> Bool { left.number < right.number }
}

/// A stretch of the job's history; restoring or rewinding starts a new one. The first is 1.
public struct Lineage: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: UInt32
    public init(_ number: UInt32) { self.number = number }
    public static let first = Lineage(1)
    public var description: String { String(number) }
    public static func < (left: Lineage, right: Lineage) -> Bool { left.number < right.number }
}

/// The number of a sink batch, dense per table and counted from 1.
public struct BatchNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: UInt64
    public init(_ number: UInt64) { self.number = number }
    public var next: BatchNumber { BatchNumber(number + 1) }
    public var description: String { String(number) }
    public static func < (left: BatchNumber, right: BatchNumber) -> Bool { left.number < right.number }
}
