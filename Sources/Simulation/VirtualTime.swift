/// Time that passes only from one event to the next: the seeded clock of a simulation.
///
/// Events at the same time happen in the order in which they were asked for, so a seed gives one order for ever.
package final class VirtualTime {
    private struct Event {
        let time: Duration
        let sequence: Int
        let action: () -> Void

        func precedes(_ other: Event) -> Bool { time == other.time ? sequence < other.sequence : time < other.time }
    }

    private var heap: [Event] = []
    private var sequence = 0
    private var isOver = false
    package private(set) var now = Duration.zero
    /// How many events have happened.
    package private(set) var events = 0

    package init() {}

    /// Lets `action` happen when `delay` has passed.
    package func after(_ delay: Duration, _ action: @escaping () -> Void) {
        guard !isOver else { return }
        sequence += 1
        heap.append(Event(time: now + delay, sequence: sequence, action: action))
        var child = heap.count - 1
        while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Nothing happens any more: what was to happen is let go, and with it everything that it holds.
    func end() {
        isOver = true
        heap = []
    }

    /// Lets the next event happen; false when there is none.
    package func step() -> Bool {
        guard let next = heap.first else { return false }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        now = next.time
        events += 1
        next.action()
        return true
    }

    private func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].precedes(heap[least]) { least = child }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
