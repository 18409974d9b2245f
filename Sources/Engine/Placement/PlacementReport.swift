/// Tells one task for all, `PlacementWatch`, which keys a task has met: a sample of them, each once.
///
/// A job that counts by key relies on each key living in one partition of its topic. Where that is a matter of how
/// somebody else's producers are set up, this is how a wrong assumption shows before it has cost much.
final class PlacementReport<Event: BitwiseCopyable>: EventProcessor {
    private let messages: MessageWriter
    private let partition: UInt64
    private let partitions: UInt64
    private let key: (Event) -> ByteView
    private let seed: TableSeed
    private var sample = KeySample()
    private var payload = ByteWriter(capacity: 16)

    /// `partitions`: how many the topic has. `seed`: the same in all tasks, so that they watch the same keys; nobody else knows which.
    init(messages: MessageWriter, partition: Int, of partitions: Int, seed: TableSeed, key: @escaping (Event) -> ByteView) {
        self.messages = messages
        self.partition = UInt64(partition)
        self.partitions = UInt64(partitions)
        self.seed = seed
        self.key = key
    }

    let stateTables: [any StateTable] = []
    let lastOpenWindowEnd: EventTime? = nil

    func process(_ events: UnsafeMutableBufferPointer<TimedEvent<Event>>) {
        for event in events where !event.isAmendment {
            let key = key(event.event)
            guard sample.insert(tableHash(key, seed: seed)) else { continue }
            payload.removeAll()
            payload.write(varint: partition)
            payload.write(varint: partitions)
            messages.send(payload.view, key: key)
        }
    }

    func advance(to watermark: EventTime, firingTimers: Bool) {}
    func resume(at watermark: EventTime) {}
}

/// Of the keys whose hash is divisible by 64 those with the least hashes, at most `limit`. Samples of different tasks
/// meet: a key that is in one is in that of any other task that has met it, as far as the tasks have about as many keys.
///
/// It is not stored: a task that starts reports its sample anew.
struct KeySample {
    /// Sorted.
    private var hashes: [UInt64] = []

    static let limit = 1024
    /// What the hashes' seed is made for.
    static let use: StaticString = "sample of keys"
    private static let oneIn: UInt64 = 64

    /// True when the key with this hash belongs to the sample and was not in it.
    mutating func insert(_ hash: UInt64) -> Bool {
        guard hash % KeySample.oneIn == 0 else { return false }
        if hashes.count == KeySample.limit, hash >= hashes[KeySample.limit - 1] { return false }
        var (low, high) = (0, hashes.count)
        while low < high {
            let middle = (low + high) / 2
            if hashes[middle] < hash { low = middle + 1 } else { high = middle }
        }
        guard low == hashes.count || hashes[low] != hash else { return false }
        if hashes.count == KeySample.limit { hashes.removeLast() }
        hashes.insert(hash, at: low)
        return true
    }
}
