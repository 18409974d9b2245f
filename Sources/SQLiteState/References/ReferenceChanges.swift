import Engine

/// What changed in one reference since its file was written last, copied out of memory, so that the table can change
/// again while this is being written.
package final class ReferenceChanges {
    struct Change {
        /// Where the key begins in `bytes`; the record follows it.
        let start: Int
        let keyLength: Int
        /// nil for a key that was removed.
        let recordLength: Int?
    }

    package let name: String
    /// By partition, as far as records of it were applied.
    let positions: [Int: SourcePosition]
    /// Everything stored before is gone.
    private(set) var isEmptied = false
    /// What the reader has met of how the topic is written.
    let notes: Set<String>
    private var changes: [Change] = []
    private var bytes = ByteWriter(capacity: 4096)

    /// Takes the changes of `table`; nothing else may use the table meanwhile.
    package init(of table: ReferenceTable, positions: [Int: SourcePosition], notes: Set<String> = []) {
        name = table.name
        self.notes = notes
        self.positions = positions
        table.takeChanges(emptied: { isEmptied = true }, removed: { add($0, nil) }, stored: { add($0, $1) })
    }

    /// How many keys changed.
    package var count: Int { changes.count }
    /// About what it takes.
    package var memoryBytes: Int { bytes.count + changes.count * MemoryLayout<Change>.stride }

    private func add(_ key: ByteView, _ record: ByteView?) {
        changes.append(Change(start: bytes.count, keyLength: key.count, recordLength: record?.count))
        bytes.write(raw: key)
        if let record { bytes.write(raw: record) }
    }

    /// Goes through the changes in the order of their keys, which is the order of the file's pages.
    func forEach(_ body: (_ key: ByteView, _ record: ByteView?) throws -> Void) rethrows {
        changes.sort { key(of: $0) < key(of: $1) }
        for change in changes {
            let record = change.recordLength.map { view(change.start + change.keyLength, $0) }
            try body(key(of: change), record)
        }
    }

    private func key(of change: Change) -> ByteView { view(change.start, change.keyLength) }

    private func view(_ start: Int, _ length: Int) -> ByteView {
        ByteView(UnsafeRawBufferPointer(rebasing: bytes.view.rawBuffer[start..<start + length]))
    }
}
