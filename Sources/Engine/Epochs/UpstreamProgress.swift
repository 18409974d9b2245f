/// How far the tasks that send to each stage were when the batches handed over with this were cut.
///
/// It goes out only after the cut that holds both those watermarks and everything sent up to them is durable, and is
/// taken note of after that cut's batches are processed. A window's partials are sent in the epoch in which its sender's
/// watermark passes its end, at the latest: so they are never late for a stage that goes by this alone.
package struct UpstreamProgress: Sendable, Equatable {
    /// The least watermark of all tasks that send to each stage.
    package let watermarks: [StageName: EventTime]
    /// The stages whose least watermark was raised because a bounded run ended: that closes windows, but fires no timers.
    private let ended: Set<StageName>

    package init(watermarks: [StageName: EventTime], ended: Set<StageName>) {
        self.watermarks = watermarks
        self.ended = ended
    }

    /// Whether the tasks of a stage fire timers up to its watermark.
    package func firesTimers(in stage: StageName) -> Bool { !ended.contains(stage) }

    /// No stage reads messages.
    package var isEmpty: Bool { watermarks.isEmpty }
}
