import Engine

/// What the deltas that are not folded yet say of one task's table: windows that are gone, and the last word on each key.
final class UnfoldedChanges {
    struct Change {
        let key: ByteView
        /// nil when the key was removed.
        let record: ByteView?
        fileprivate let order: Int
    }

    /// In order of keys, each once; none of a closed window's.
    private(set) var changes: [Change] = []
    /// The eight bytes of each closed window.
    private(set) var closed: Set<[UInt8]> = []
    /// The deltas' bytes, which `changes` point into.
    private var blocks: [UnsafeMutableRawBufferPointer] = []

    init() {}

    deinit { blocks.forEach { $0.deallocate() } }

    /// Adds a delta, each after those of earlier epochs. False when it is damaged.
    func add(_ delta: ByteView) -> Bool {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: delta.count, alignment: 1)
        block.copyMemory(from: delta.rawBuffer)
        blocks.append(block)
        return StateDelta.forEachChange(in: ByteView(UnsafeRawBufferPointer(block))) { change in
            switch change {
            case .windowClosed(let prefix): closed.insert(prefix.copy())
            case .removed(let key): changes.append(Change(key: key, record: nil, order: changes.count))
            case .stored(let key, let record): changes.append(Change(key: key, record: record, order: changes.count))
            }
        }
    }

    /// To be called once, after the last delta was added.
    func finish() {
        // A window is closed for good, so whatever else the deltas say of its keys is over.
        if !closed.isEmpty { changes.removeAll { isClosed($0.key) } }
        changes.sort { $0.key == $1.key ? $0.order > $1.order : $0.key < $1.key }
        var kept = 0
        for index in changes.indices where index == 0 || changes[index].key != changes[kept - 1].key {
            changes[kept] = changes[index]
            kept += 1
        }
        changes.removeLast(changes.count - kept)
    }

    func isClosed(_ key: ByteView) -> Bool {
        !closed.isEmpty && key.count >= WindowKey.prefixLength && closed.contains(key.prefix(WindowKey.prefixLength).copy())
    }

    /// The number of the first change whose key is not before `key`.
    func firstIndex(notBefore key: ByteView) -> Int {
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
