/// Which connections there are, and which have to end: because their time is over, or to make room for a newer one.
///
/// A new connection is never refused for the sake of older ones, and has its time before it may be the one that makes room: a probe that
/// comes last is answered, however many connections are held open, with requests or without. What a connection has sent and the server
/// has not read yet is the server's delay; it costs nobody the connection. Whoever holds the pool ends connections; it only says which.
struct ConnectionPool {
    struct Limits: Sendable {
        /// Connections in all.
        var connections = 256
        /// Of one neighbour: one address, or one IPv6 network of 64 bits.
        var perNeighbour = 64
        /// A connection that began, or whose request was there, so lately makes room for none but its own neighbour's.
        var grace = Duration.milliseconds(25)
        /// From the beginning of a connection until its request is there whole, however little of it comes at a time.
        var requestTime = Duration.seconds(5)
        /// From then on until the answer is sent.
        var answerTime = Duration.seconds(20)
    }

    /// Why a connection was ended.
    enum Ending: String, Sendable, CaseIterable {
        /// To make room: there were as many as there may be in all.
        case full
        /// To make room: its neighbour had as many as one may have.
        case neighbour
        /// Its request was not there in time.
        case slowRequest = "slow_request"
        /// Its answer was not taken in time.
        case slowAnswer = "slow_answer"
        /// The server could not take it.
        case refused
    }

    private struct Connection {
        let neighbour: NetworkAddress
        /// In the order of their coming.
        let number: UInt64
        /// When its request was there whole; before, when it began.
        var since: ContinuousClock.Instant
        var deadline: ContinuousClock.Instant
        var isServed = false
        var hasRequest = false
        var isEnding = false
    }

    let limits: Limits
    private var connections: [Int32: Connection] = [:]
    /// The connections in the order of their coming, among those that are there no more; those before `oldest` are.
    private var order: [(descriptor: Int32, number: UInt64)] = []
    private var oldest = 0
    private var number: UInt64 = 0
    /// Those that are not ending, in all and of each neighbour.
    private var openCount = 0
    private var openCounts: [NetworkAddress: Int] = [:]

    /// No connection's time is over before this; nil without connections. Deadlines that went are found out when this one has come.
    private(set) var nextDeadline: ContinuousClock.Instant?

    init(_ limits: Limits) { self.limits = limits }

    /// Those that are ending included.
    var count: Int { connections.count }

    /// Whether one more can be taken: there is room, or one that has had its time can make some, and the server keeps up with closing.
    ///
    /// - Parameter hasInput: whether a connection has sent what the server has not read yet.
    func hasRoom(at now: ContinuousClock.Instant, hasInput: (Int32) -> Bool) -> Bool {
        if openCount < limits.connections { return true }
        return connections.count < 2 * limits.connections && first(of: nil, at: now, hasInput: hasInput) != nil
    }

    /// Takes a connection; what is returned has to be ended to make room for it.
    mutating func admit(
        _ descriptor: Int32, from neighbour: NetworkAddress, at now: ContinuousClock.Instant, hasInput: (Int32) -> Bool
    ) -> [(descriptor: Int32, why: Ending)] {
        var ended: [(descriptor: Int32, why: Ending)] = []
        if openCounts[neighbour, default: 0] >= limits.perNeighbour, let first = first(of: neighbour, at: now, hasInput: hasInput) {
            end(first)
            ended.append((first, .neighbour))
        }
        if openCount >= limits.connections, let first = makeRoom(at: now, hasInput: hasInput) { ended.append((first, .full)) }
        number += 1
        let deadline = now + limits.requestTime
        connections[descriptor] = Connection(neighbour: neighbour, number: number, since: now, deadline: deadline)
        order.append((descriptor, number))
        openCount += 1
        openCounts[neighbour, default: 0] += 1
        nextDeadline = min(nextDeadline ?? deadline, deadline)
        return ended
    }

    /// Ends the connection that is the first to make room; nil when none may be ended.
    mutating func makeRoom(at now: ContinuousClock.Instant, hasInput: (Int32) -> Bool) -> Int32? {
        let first = first(of: nil, at: now, hasInput: hasInput)
        if let first { end(first) }
        return first
    }

    /// The oldest without a whole request, else the oldest that has not taken its answer.
    private func first(of neighbour: NetworkAddress?, at now: ContinuousClock.Instant, hasInput: (Int32) -> Bool) -> Int32? {
        var withRequest: Int32?
        for (descriptor, number) in order[oldest...] {
            guard let connection = connections[descriptor], connection.number == number, connection.isServed, !connection.isEnding else {
                continue
            }
            if let neighbour {
                if connection.neighbour != neighbour { continue }
            } else if now - connection.since < limits.grace {
                if connection.hasRequest { continue }
                // Those behind it are younger; with their requests, they had less time than it.
                break
            }
            if !connection.hasRequest {
                if !hasInput(descriptor) { return descriptor }
            } else if withRequest == nil {
                withRequest = descriptor
            }
        }
        return withRequest
    }

    /// Forgets those in front that are there no more.
    private mutating func shortenOrder() {
        while oldest < order.count, connections[order[oldest].descriptor]?.number != order[oldest].number { oldest += 1 }
        guard oldest > order.count / 2 else { return }
        order.removeFirst(oldest)
        oldest = 0
    }

    private mutating func end(_ descriptor: Int32) {
        guard let connection = connections[descriptor], !connection.isEnding else { return }
        connections[descriptor]?.isEnding = true
        openCount -= 1
        let left = openCounts[connection.neighbour, default: 0] - 1
        openCounts[connection.neighbour] = left > 0 ? left : nil
    }

    /// The server has it: only from now on may it be ended.
    mutating func serve(_ descriptor: Int32) { connections[descriptor]?.isServed = true }

    mutating func noteRequest(of descriptor: Int32, at now: ContinuousClock.Instant) {
        guard var connection = connections[descriptor], !connection.hasRequest else { return }
        connection.hasRequest = true
        connection.since = now
        connection.deadline = now + limits.answerTime
        connections[descriptor] = connection
        nextDeadline = min(nextDeadline ?? connection.deadline, connection.deadline)
    }

    /// Whether it is there, ending or not.
    func has(_ descriptor: Int32) -> Bool { connections[descriptor] != nil }

    /// Its descriptor is about to be closed, or never was the server's.
    mutating func remove(_ descriptor: Int32) {
        end(descriptor)
        connections[descriptor] = nil
        shortenOrder()
        if connections.isEmpty { nextDeadline = nil }
    }

    /// Those whose time is over; they have to be ended. What the server never took is forgotten.
    mutating func overdue(at now: ContinuousClock.Instant) -> [(descriptor: Int32, why: Ending)] {
        guard let nextDeadline, nextDeadline <= now else { return [] }
        var ended: [(descriptor: Int32, why: Ending)] = []
        let late = connections.filter { !$0.value.isEnding && $0.value.deadline <= now }
        for (descriptor, connection) in late {
            guard connection.isServed else {
                remove(descriptor)
                continue
            }
            end(descriptor)
            ended.append((descriptor, connection.hasRequest ? .slowAnswer : .slowRequest))
        }
        let open = connections.values.filter { !$0.isEnding }
        self.nextDeadline = open.map(\.deadline).min()
        return ended
    }
}
