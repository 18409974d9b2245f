/// How many records each reason was met in, and where last: of one partition, or put together of several.
public struct ReasonCounts: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        /// `reason`, or `reason:field`.
        public let reason: String
        public fileprivate(set) var count: UInt64
        /// The offset of the last of them; nil where none is known.
        public fileprivate(set) var offset: Int64?
        /// The partition of that offset; nil where the counts are of one alone.
        public fileprivate(set) var partition: Int?

        /// The reason without its field.
        public var name: String { String(reason.parts(at: ":", maxSplits: 1)[0]) }
        /// nil where it is one of the record as a whole.
        public var field: String? {
            let parts = reason.parts(at: ":", maxSplits: 1)
            return parts.count > 1 ? String(parts[1]) : nil
        }
    }

    public private(set) var entries: [Entry] = []
    /// The texts that the reasons were made of, in the order of the entries: decoders' reasons are constants, so nearly always found
    /// by their address.
    private var addresses: [Address] = []

    private struct Address: Sendable, Equatable {
        let reason: UInt
        let field: UInt

        init(_ rejection: Rejection) {
            reason = UInt(bitPattern: rejection.reason.utf8Start)
            field = UInt(bitPattern: rejection.field?.utf8Start)
        }
    }

    package init() {}

    public static func == (left: ReasonCounts, right: ReasonCounts) -> Bool { left.entries == right.entries }

    public subscript(reason: String) -> Entry? { entries.first { $0.reason == reason } }

    /// How many there are of reasons that begin so, whatever their fields.
    public func count(ofName name: String) -> UInt64 { entries.reduce(0) { $1.name == name ? $0 + $1.count : $0 } }

    /// True for the first of its reason and field. `partition`: where the counts are of several.
    @discardableResult
    package mutating func add(_ rejection: Rejection, at offset: Int64?, of partition: Int? = nil) -> Bool {
        let address = Address(rejection)
        if let index = addresses.firstIndex(of: address) {
            entries[index].count += 1
            entries[index].offset = offset
            entries[index].partition = partition
            return false
        }
        return add(Entry(reason: rejection.description, count: 1, offset: offset, partition: partition), at: address)
    }

    /// Adds others. `partition`: the one that they are of; the place stays that of those added last.
    package mutating func add(_ other: ReasonCounts, of partition: Int? = nil) {
        for (entry, address) in zip(other.entries, other.addresses) {
            var entry = entry
            entry.partition = partition ?? entry.partition
            add(entry, at: address)
        }
    }

    @discardableResult
    private mutating func add(_ entry: Entry, at address: Address) -> Bool {
        guard let index = entries.firstIndex(where: { $0.reason == entry.reason }) else {
            entries.append(entry)
            addresses.append(address)
            return true
        }
        entries[index].count += entry.count
        entries[index].offset = entry.offset
        entries[index].partition = entry.partition
        return false
    }
}

/// Where a task's decoder and processors say what is to be known of records that were used all the same, such as a rule that could
/// not be judged. Counted by reason; shown on the status page and in the metrics. Ask for it with `TaskSetup.remarks`.
public final class TaskRemarks {
    private var counts: ReasonCounts?

    public init() {}

    /// `offset`: of the record, where it is at hand.
    public func add(_ remark: Rejection, at offset: Int64? = nil) {
        if counts == nil { counts = ReasonCounts() }
        counts?.add(remark, at: offset)
    }

    /// What was added since the last call.
    func take() -> ReasonCounts? {
        guard counts != nil else { return nil }
        defer { counts = nil }
        return counts
    }
}
