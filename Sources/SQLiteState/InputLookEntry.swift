import Engine

/// The entry of `meta` that says that a start looked at the newest records of the job's input before it went on from the state, and of
/// which version of the job that start was. What else opens a state, such as passing over a record, looks at none and does not write it.
struct InputLookEntry {
    static let name = "input_looked_at_by"

    private let meta: MetaTable

    init(database: Database) { meta = MetaTable(database) }

    /// nil when nobody has looked, no epoch was committed, or an earlier version of the job has written since.
    func version() throws -> Int? {
        guard try meta.value("epoch") ?? "0" != "0", let writer = try number("job_version"), let known = try number(InputLookEntry.name)
        else { return nil }
        return known <= writer ? known : nil
    }

    /// Must run inside a transaction.
    func note(_ version: Int) throws { try meta.set(InputLookEntry.name, String(version)) }

    /// Forgets a look that was of a later version than the one that wrote last: that one took records as it reads them. Must run inside a
    /// transaction, before the version that writes now is noted.
    func forgetIfOutdated() throws {
        guard let writer = try number("job_version"), let known = try number(InputLookEntry.name), known > writer else { return }
        try meta.remove(InputLookEntry.name)
    }

    private func number(_ name: String) throws -> Int? { try meta.number(name, StoredBounds.version).map { Int($0) } }
}
