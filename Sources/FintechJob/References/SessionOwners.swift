import Engine

/// For which customers each session is held, by the session's id: a session may have changed its customer.
struct SessionOwners {
    private var customers: [[UInt8]: Set<[UInt8]>] = [:]
    /// About what it takes.
    private(set) var memoryBytes = 0

    /// An array's header, a set's with its table, and a dictionary's slot, with what is unused of them.
    private static let bytesOfArray = 48
    private static let bytesOfSession = 192
    private static let bytesOfCustomer = 24

    mutating func add(_ customer: ByteView, to id: ByteView) {
        let id = id.copy()
        if customers[id] == nil { memoryBytes += SessionOwners.bytesOfSession + SessionOwners.bytesOfArray + id.count }
        if customers[id, default: []].insert(customer.copy()).inserted { memoryBytes += SessionOwners.bytes(of: customer) }
    }

    mutating func remove(_ customer: ByteView, from id: ByteView) {
        let id = id.copy()
        guard customers[id]?.remove(customer.copy()) != nil else { return }
        memoryBytes -= SessionOwners.bytes(of: customer)
        guard customers[id]?.isEmpty == true else { return }
        customers[id] = nil
        memoryBytes -= SessionOwners.bytesOfSession + SessionOwners.bytesOfArray + id.count
    }

    subscript(id: ByteView) -> Set<[UInt8]> { customers[id.copy()] ?? [] }

    private static func bytes(of customer: ByteView) -> Int { bytesOfCustomer + bytesOfArray + customer.count }
}
