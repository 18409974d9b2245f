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
