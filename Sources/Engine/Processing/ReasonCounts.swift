/// How many records each reason was met in, and where last.
public struct ReasonCounts: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        /// `reason`, or `reason:field`.
        public let reason: String
        public fileprivate(set) var count: UInt64
        /// The offset of the last of them; nil where none is known.
        public fileprivate(set) var offset: Int64?
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

    public init() {}

    public static func == (left: ReasonCounts, right: ReasonCounts) -> Bool { left.entries == right.entries }

    public subscript(reason: String) -> Entry? { entries.first { $0.reason == reason } }

    public mutating func add(_ rejection: Rejection, at offset: Int64?, count: UInt64 = 1) {
        let address = Address(rejection)
        if let index = addresses.firstIndex(of: address) {
            entries[index].count += count
            entries[index].offset = offset
            return
        }
        add(Entry(reason: rejection.description, count: count, offset: offset), at: address)
    }

    /// Adds those of another partition; the offset stays that of the partition added last.
    public mutating func add(_ other: ReasonCounts) {
        for (entry, address) in zip(other.entries, other.addresses) { add(entry, at: address) }
    }

    private mutating func add(_ entry: Entry, at address: Address) {
        guard let index = entries.firstIndex(where: { $0.reason == entry.reason }) else {
            entries.append(entry)
            addresses.append(address)
            return
        }
        entries[index].count += entry.count
        entries[index].offset = entry.offset
    }
}
