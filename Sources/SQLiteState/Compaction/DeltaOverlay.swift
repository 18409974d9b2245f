import Engine

/// What deltas say of one task's table together: windows that are gone, and the last word on each key. Compaction writes it into
/// the keyed rows; whoever gets, scans or exports records lays it over them.
final class DeltaOverlay {
    struct Change {
        let key: ByteView
        /// nil when the key was removed.
        let record: ByteView?
        /// The key was removed by this change or one before it, so that nothing of its earlier record counts.
        fileprivate(set) var isForgotten: Bool
        fileprivate let order: Int
    }

    /// In order of keys, each once; of a closed window, only what was stored after that.
    private(set) var changes: [Change] = []
    /// The eight bytes of each closed window, and how many changes came before it was closed last.
    private(set) var closed: [[UInt8]: Int] = [:]
    /// Of the deltas that were added.
    private(set) var byteCount = 0
    /// The deltas' bytes, which `changes` point into.
    private var blocks: [UnsafeMutableRawBufferPointer] = []

    init() {}

    deinit { blocks.forEach { $0.deallocate() } }

    /// Adds what a delta says of the keys that are wanted, each after those of earlier epochs. False when it is damaged.
    func add(_ delta: ByteView, where isWanted: (ByteView) -> Bool = { _ in true }) -> Bool {
        byteCount += delta.count
        var block: UnsafeMutableRawBufferPointer?
        // The same bytes in the copy of the delta, which is made when something of it is wanted.
        func kept(_ bytes: ByteView) -> ByteView {
            let copy = block ?? .allocate(byteCount: delta.count, alignment: 1)
            if block == nil {
                copy.copyMemory(from: delta.rawBuffer)
                blocks.append(copy)
                block = copy
            }
            guard let start = bytes.start, let first = delta.start else { return bytes }
            return ByteView(UnsafeRawBufferPointer(rebasing: copy[(start - first)..<(start - first + bytes.count)]))
        }
        return StateDelta.forEachChange(in: delta) { change in
            switch change {
            case .windowClosed(let prefix): closed[prefix.copy()] = changes.count
            case .removed(let key) where isWanted(key):
                changes.append(Change(key: kept(key), record: nil, isForgotten: true, order: changes.count))
            case .stored(let key, let record) where isWanted(key):
                changes.append(Change(key: kept(key), record: kept(record), isForgotten: false, order: changes.count))
            case .removed, .stored: break
            }
        }
    }

    /// To be called once, after the last delta was added.
    func finish() {
        if !closed.isEmpty { changes.removeAll { change in closing(of: change.key).map { change.order < $0 } ?? false } }
        changes.sort { $0.key == $1.key ? $0.order > $1.order : $0.key < $1.key }
        var kept = 0
        for index in changes.indices {
            if kept > 0, changes[index].key == changes[kept - 1].key {
                changes[kept - 1].isForgotten = changes[kept - 1].isForgotten || changes[index].isForgotten
            } else {
                changes[kept] = changes[index]
                kept += 1
            }
        }
        changes.removeLast(changes.count - kept)
    }

    /// True when a keyed row of that key is over, as its window was closed.
    func isClosed(_ key: ByteView) -> Bool { closing(of: key) != nil }

    private func closing(of key: ByteView) -> Int? {
        closed.isEmpty || key.count < WindowKey.prefixLength ? nil : closed[key.prefix(WindowKey.prefixLength).copy()]
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
