/// Keys by the time at which to look at their timers: a binary heap. Entries are hints; the record has the last word,
/// so moving a timer to later, as most events do, costs nothing here.
@usableFromInline package struct TimerQueue {
    @usableFromInline
    struct Entry {
        @usableFromInline let time: EventTime
        @usableFromInline let key: [UInt8]

        func precedes(_ other: Entry) -> Bool {
            time == other.time ? key.lexicographicallyPrecedes(other.key) : time < other.time
        }
    }

    private var heap: [Entry] = []
    private var keyBytes = 0
    /// At this many entries those that say nothing new are dropped.
    private var compactAt = TimerQueue.leastCompaction
    private static let leastCompaction = 1024
    /// The earliest entry's time, `distantFuture` without entries.
    @usableFromInline private(set) var next = EventTime.distantFuture

    @usableFromInline
    init() {}

    var memoryBytes: Int { heap.capacity * MemoryLayout<Entry>.stride + keyBytes + heap.count * 32 }

    @usableFromInline
    mutating func add(_ time: EventTime, key: ByteView) {
        if heap.count >= compactAt { compact() }
        heap.append(Entry(time: time, key: key.copy()))
        keyBytes += key.count
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].precedes(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
        next = heap[0].time
    }

    /// Keeps each key's earliest entry alone: when that is taken, the record says when to look again. So timers that are
    /// cleared and set over and over take no more than twice the memory of the others.
    private mutating func compact() {
        heap.sort { $0.key == $1.key ? $0.time < $1.time : $0.key.lexicographicallyPrecedes($1.key) }
        var kept: [Entry] = []
        for entry in heap where kept.last?.key != entry.key { kept.append(entry) }
        // Entries in order are a heap.
        kept.sort { $0.precedes($1) }
        heap = kept
        keyBytes = kept.reduce(0) { $0 + $1.key.count }
        compactAt = max(kept.count * 2, TimerQueue.leastCompaction)
    }

    /// Takes the earliest entry when it is due at or before `time`.
    @usableFromInline
    mutating func take(through time: EventTime) -> Entry? {
        guard let first = heap.first, first.time <= time else { return nil }
        let last = heap.removeLast()
        keyBytes -= first.key.count
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        next = heap.first?.time ?? .distantFuture
        return first
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].precedes(heap[least]) {
                least = child
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
