/// How long the parts of something took, as far as they are over.
public struct PartTimes<Part: RawRepresentable<String> & Hashable & Sendable>: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public let part: Part
        public var time: Duration
    }

    /// In the order in which they were first over.
    public private(set) var entries: [Entry] = []

    public init() {}

    public var isEmpty: Bool { entries.isEmpty }

    /// A part that comes in several pieces is the sum of them.
    public mutating func add(_ part: Part, _ time: Duration) {
        if let known = entries.firstIndex(where: { $0.part == part }) {
            entries[known].time += time
        } else {
            entries.append(Entry(part: part, time: time))
        }
    }

    /// Runs `body` as a piece of a part.
    public mutating func timed<Result>(_ part: Part, _ body: () throws -> Result) rethrows -> Result {
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
