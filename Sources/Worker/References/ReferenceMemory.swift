import Engine

/// What reference tables may take of the worker's memory. They are held whole, so that a topic that outgrows the machine would
/// otherwise end in the kernel's killing some process.
struct ReferenceMemory {
    /// What one table takes, with its reader's indexes.
    struct Use {
        let name: String
        let keys: Int
        let bytes: Int

        init(_ table: ReferenceTable, reader: (any ReferenceReader)? = nil) {
            name = table.name
            keys = table.count
            bytes = table.memoryBytes + (reader?.memoryBytes ?? 0)
        }
    }

    let limit: Int

    /// Throws kind `invalid`, naming the tables and what each takes, when they take more than the limit. `unwritten`: bytes of changes
    /// that were copied, to be written.
    func check(_ tables: [Use], unwritten: Int = 0) throws {
        let bytes = tables.reduce(unwritten) { $0 + $1.bytes }
        guard bytes > limit else { return }
        let each = tables.sorted { $0.bytes > $1.bytes }.map { "\($0.name) \($0.keys) keys (\($0.bytes >> 20) MiB)" }.joined(
            separator: ", ")
        let waiting = unwritten >> 20 == 0 ? "" : ", and changes that wait to be written \(unwritten >> 20) MiB"
        throw WorkerError(
            .invalid,
            "the reference tables take \(bytes >> 20) MiB of memory, and references.memoryLimit is \(limit >> 20) MiB: \(each)\(waiting). See to what fills the topic, or set references.memoryLimit to what the machine can spare"
        )
    }
}
