/// The receiving end of forwarded events: takes apart what leads each payload, and says how far the senders are.
final class KeyedEvents {
    /// The stage that forwards to this one.
    let sender: StageName
    private var senders: UpstreamWatermarks
    private var from = 0
    private var events: [KeyedEvent] = []

    /// `partitions`: how many the sending stage has.
    init(from sender: StageName, partitions: Int) {
        self.sender = sender
        senders = UpstreamWatermarks(partitions: partitions)
    }

    /// Prepares for a batch: leaves each record's payload in `records`. False when one is damaged.
    func open(_ batch: MessageBatch, _ records: inout [SourceRecord]) -> Bool {
        guard batch.id.from.stage == sender, senders.knows(batch.id.from.partition) else { return false }
        from = batch.id.from.partition
        events.removeAll(keepingCapacity: true)
        for index in records.indices {
            var reader = ByteReader(records[index].value)
            guard let event = KeyedEvent(&reader) else { return false }
            events.append(event)
            records[index] = SourceRecord(
                offset: records[index].offset, timestamp: nil, key: records[index].key, value: reader.raw(reader.remaining))
        }
        return true
    }

    /// The partition that the batch at hand was read from.
    var partition: Int { from }

    /// The record behind an event, by its place in the batch; nil when it could not be late.
    func record(_ index: Int) -> SourceRecord? { events[index].record }

    /// The least watermark of all senders, as far as it is known before the event with this place in the batch.
    func watermark(before index: Int) -> EventTime { senders.hear(events[index].watermark, from: from) }

    /// No sender is behind `watermark`.
    func reached(_ watermark: EventTime) { senders.raise(to: watermark) }
}

/// What is known of the watermarks of the tasks of one stage that send to a task, and the least of them.
struct UpstreamWatermarks {
    private var heard: [EventTime]
    private(set) var least = EventTime.distantPast

    init(partitions: Int) {
        precondition(partitions > 0, "somebody sends")
        heard = Array(repeating: .distantPast, count: partitions)
    }

    func knows(_ sender: Int) -> Bool { heard.indices.contains(sender) }

    /// Takes note of one sender's watermark; returns the least of all.
    mutating func hear(_ watermark: EventTime, from sender: Int) -> EventTime {
        let before = heard[sender]
        guard watermark > before else { return least }
        heard[sender] = watermark
        // Only who was the last of all can have moved the least.
        if before == least { least = heard.min() ?? .distantPast }
        return least
    }

    mutating func raise(to watermark: EventTime) {
        guard watermark > least else { return }
        for sender in heard.indices where heard[sender] < watermark { heard[sender] = watermark }
        least = heard.min() ?? watermark
    }
}
