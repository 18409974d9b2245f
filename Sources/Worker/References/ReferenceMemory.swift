import Engine

/// What reference tables may take of the worker's memory. They are held whole, so that a topic that outgrows the machine would
/// otherwise end in the kernel's killing some process.
struct ReferenceMemory {
    let limit: Int

    /// Throws kind `invalid`, naming the tables and what each takes, when they take more than the limit.
    func check(_ tables: [ReferenceTable]) throws {
        let bytes = tables.reduce(0) { $0 + $1.memoryBytes }
        guard bytes > limit else { return }
        let each = tables.sorted { $0.memoryBytes > $1.memoryBytes }.map { "\($0.name) \($0.count) keys (\($0.memoryBytes >> 20) MiB)" }.joined(separator: ", ")
        throw WorkerError(.invalid, "the reference tables take \(bytes >> 20) MiB of memory, and references.memoryLimit is \(limit >> 20) MiB: \(each). See to what fills the topic, or set references.memoryLimit to what the machine can spare")
    }
}
