/// How far the tasks that send to each stage were when the batches handed over with this were cut.
///
/// It goes out only after the cut that holds both those watermarks and everything sent up to them is durable, and is
/// taken note of after that cut's batches are processed. A window's partials are sent in the epoch in which its sender's
/// watermark passes its end, at the latest: so they are never late for a stage that goes by this alone.
public struct UpstreamProgress: Sendable, Equatable {
    /// The least watermark of all tasks that send to each stage.
    public let watermarks: [StageName: EventTime]
    /// False when they were raised because a bounded run ends: that closes windows, but fires no timers.
    public let firesTimers: Bool

    public init(watermarks: [StageName: EventTime], firesTimers: Bool) {
        self.watermarks = watermarks
        self.firesTimers = firesTimers
    }

    /// No stage reads messages.
    public var isEmpty: Bool { watermarks.isEmpty }
}
