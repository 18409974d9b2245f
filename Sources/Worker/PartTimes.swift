/// How long the parts of something took, as far as they are over.
public struct PartTimes<Part: RawRepresentable<String> & Hashable & Sendable>: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public let part: Part
        public var time: Duration
    }

    /// In the order in which they were first over.
    public private(set) var entries: [Entry] = []

    package init() {}

    public var isEmpty: Bool { entries.isEmpty }

    /// A part that comes in several pieces is the sum of them.
    package mutating func add(_ part: Part, _ time: Duration) {
        if let known = entries.firstIndex(where: { $0.part == part }) {
            entries[known].time += time
        } else {
            entries.append(Entry(part: part, time: time))
        }
    }

    /// Runs `body` as a piece of a part.
    package mutating func timed<Result>(_ part: Part, _ body: () throws -> Result) rethrows -> Result {
        let start = Clock.now
        let result = try body()
        add(part, Clock.now - start)
        return result
    }

    /// All of them but those left out.
    public func total(without left: Part? = nil) -> Duration { entries.filter { $0.part != left }.reduce(.zero) { $0 + $1.time } }

    /// `load 0.210 s, sinks 0.034 s`; what took less than a millisecond is left out.
    public var text: String {
        entries.filter { $0.time >= .milliseconds(1) }.map { "\($0.part.rawValue) \($0.time.text)" }.joined(separator: ", ")
    }
}

/// The parts of a start, up to its first record.
public enum StartPart: String, Sendable, CaseIterable {
    /// Until the state directory was this process's: the worker before drained meanwhile.
    case wait
    /// Filling an empty state directory from a checkpoint.
    case restore
    /// Opening the state file, and finding out what is in it.
    case open
    /// Making the stored tables those of this version of the job.
    case migrate
    /// Asking the checkpoint store whose the job is, and saying that it is this worker's.
    case claim
    /// Asking the topics for their partitions, ends and last records.
    case topics
    /// Asking the sinks for their tables.
    case sinks
    /// Loading the records of the state tables.
    case load
    /// Taking back what a restored state does not count.
    case rollBack = "withdraw"
    /// Loading the reference tables, and reading their topics to the ends.
    case references
    /// From the beginning of reading to the first record.
    case firstRecord = "first record"
}

public typealias StartTimes = PartTimes<StartPart>

/// The parts of a drain.
public enum DrainPart: String, Sendable, CaseIterable {
    /// Until everything that was read is durable.
    case reading
    /// Until it is delivered.
    case delivery
    /// The last checkpoint.
    case checkpoint
    /// Until the threads have ended.
    case stop
}

public typealias DrainTimes = PartTimes<DrainPart>
