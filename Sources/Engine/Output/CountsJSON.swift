/// Writes counts by name as a JSON object with its names sorted byte-wise, so that equal counts give equal texts.
package struct CountsJSON: ~Copyable {
    private var text = ByteWriter(capacity: 256)
    private var entries: [(name: ByteView, count: UInt32)] = []

    package init() {}

    /// The object, valid until the next call; nil when the encoded counts are damaged.
    package mutating func object(_ counts: ByteView) -> ByteView? {
        entries.removeAll(keepingCapacity: true)
        var isSorted = true
        let isWhole = TextCounts.forEach(in: counts) { name, count in
            if let last = entries.last, name < last.name { isSorted = false }
            entries.append((name, count))
        }
        guard isWhole else { return nil }
        if !isSorted { entries.sort { $0.name < $1.name } }
        text.removeAll()
        text.write("{")
        for index in entries.indices {
            if index > 0 { text.write(",") }
            text.write(jsonStringOfAnyBytes: entries[index].name)
            text.write(":")
            text.write(decimal: entries[index].count)
        }
        text.write("}")
        return text.view
    }
}
