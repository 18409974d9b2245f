/// What the loop wants of one group of tasks; taken as a whole, carried out in the order of the members.
package struct TaskGroupOrders: Sendable {
    /// One of them, as the loop gives it.
    package enum Order: Sendable {
        /// Process these batches, and then take note of how far their senders were.
        case receive([MessageBatch], UpstreamProgress)
        /// Raise the watermarks of these tasks; those that got a record meanwhile are left alone unless the run ends.
        case raise([TaskID: EventTime], isEnding: Bool)
        /// Every record changed no later than in this cut, counted from the start, may leave memory: as many bytes as that.
        case release(compactedThrough: UInt32, bytes: Int)
        case cut(Epoch)
        case hold(Bool)
        /// No record may be read any more.
        case stopReading
    }

    var received: [(batches: [MessageBatch], upstream: UpstreamProgress)] = []
    var raised: [(watermarks: [TaskID: EventTime], isEnding: Bool)] = []
    var leaderAnswers: [(ends: [TopicPartition: Int64], at: Duration)] = []
    var release: (compactedThrough: UInt32, bytes: Int)?
    var cut: Epoch?
    package private(set) var isHeld = false
    package private(set) var isReadingOver = false

    package init() {}

    package mutating func add(_ order: Order) {
        switch order {
        case .receive(let batches, let upstream): received.append((batches, upstream))
        case .raise(let watermarks, let isEnding): raised.append((watermarks, isEnding))
        case .release(let compactedThrough, let bytes): release = (compactedThrough, bytes)
        case .cut(let epoch): cut = epoch
        case .hold(let isHeld): self.isHeld = isHeld
        case .stopReading: isReadingOver = true
        }
    }

    /// Leaders said where their partitions end, at that time.
    package mutating func leadersAnswered(_ ends: [TopicPartition: Int64], at time: Duration) { leaderAnswers.append((ends, time)) }

    /// The orders so far; the standing ones stay.
    package mutating func take() -> TaskGroupOrders {
        let taken = self
        self = TaskGroupOrders()
        isHeld = taken.isHeld
        isReadingOver = taken.isReadingOver
        return taken
    }

    /// True when there is more than standing orders.
    package var isSomethingToDo: Bool { !received.isEmpty || !raised.isEmpty || !leaderAnswers.isEmpty || release != nil || cut != nil }

    /// True when tasks are to process something now.
    package var hasInput: Bool { !received.isEmpty || !raised.isEmpty }
}
