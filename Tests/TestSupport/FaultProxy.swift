import Foundation
import Synchronization

/// What a `FaultProxy` does to one request.
package enum RequestFault: Sendable, Equatable {
    /// The connection ends before the server got anything.
    case refuse
    /// Half of the request's body goes through, then both connections break.
    case cutBody
    /// The server gets all and answers; the client never hears of it.
    case dropAnswer
    /// The server gets nothing; the proxy itself answers with this status.
    case answerItself(status: Int)
    /// The server gets all; its answer is replaced by a 200 with an exception header.
    case exceptionHeader(code: Int)
    /// Nothing goes on until the client gives up.
    case stall
    /// Nothing goes on until the client gives up; after this many seconds more the server gets the whole request.
    case deliverLate(seconds: Double)
    /// The server gets all of it twice, one after the other; the client gets the second answer.
    case deliverTwice
}

/// A TCP proxy in front of an HTTP server that breaks chosen requests, by default INSERTs, and passes everything else on.
///
/// A thread a connection; requests are read whole before they are passed on, so it is no measure of speed.
package final class FaultProxy: Sendable {
    package let port: Int
    private let core: FaultProxyCore

    /// - Parameter isChosen: whether a request line, such as `PUT /bucket/key HTTP/1.1`, is one that can meet a fault.
    package init(to serverPort: Int, breaking isChosen: @escaping @Sendable (String) -> Bool = { $0.contains("query=INSERT") }) throws {
        let (listener, port) = try Socket.listen()
        self.port = port
        core = FaultProxyCore(listener: listener, serverPort: serverPort, isChosen: isChosen)
        core.start { $0.acceptAll() }
    }

    deinit { core.stop() }

    package var url: String { "http://127.0.0.1:\(port)" }

    /// The next chosen requests meet these, one each; those after them pass.
    package func meet(_ faults: [RequestFault]) { core.state.withLock { $0.faults = faults } }

    /// As soon as a chosen request comes, it meets the fault, and nothing that comes after it, chosen or not, goes through any more.
    package func cutOff(with fault: RequestFault) { core.state.withLock { $0.cuttingFault = fault } }

    /// Everything goes through again.
    package func letThrough() {
        core.state.withLock {
            $0.cuttingFault = nil
            $0.isCutOff = false
        }
    }

    /// True while nothing goes through.
    package var isCutOff: Bool { core.state.withLock { $0.isCutOff } }

    /// Chosen requests that came so far.
    package var chosenSeen: Int { core.state.withLock { $0.chosenSeen } }
    /// Requests handed to the server after their client had given them up.
    package var lateDeliveries: Int { core.state.withLock { $0.lateDeliveries } }
    /// The request targets (`/?query=…`) that came so far.
    package var targets: [String] { core.state.withLock { $0.targets } }
}

/// What a proxy's threads share.
final class FaultProxyCore: Sendable {
    struct State {
        var faults: [RequestFault] = []
        /// The fault that the next chosen request meets, and that is the last thing which passes.
        var cuttingFault: RequestFault?
        var isCutOff = false
        var isEnding = false
        var chosenSeen = 0
        var lateDeliveries = 0
        var targets: [String] = []
        var threads = 0
        var sockets: Set<Int32> = []
    }

    let listener: Int32
    let serverPort: Int
    let isChosen: @Sendable (String) -> Bool
    let state = Mutex(State())

    init(listener: Int32, serverPort: Int, isChosen: @escaping @Sendable (String) -> Bool) {
        self.isChosen = isChosen
        self.listener = listener
        self.serverPort = serverPort
    }

    func start(_ body: @escaping @Sendable (FaultProxyThread) -> Void) {
        state.withLock { $0.threads += 1 }
        Thread.detachNewThread { [self] in
            body(FaultProxyThread(core: self))
            state.withLock { $0.threads -= 1 }
        }
    }

    /// Closes everything and waits until the threads have ended.
    func stop() {
        state.withLock { state in
            state.isEnding = true
            state.sockets.forEach { Socket.shutDown($0) }
        }
        Socket.shutDown(listener)
        while state.withLock({ $0.threads }) > 0 { usleep(2_000) }
        close(listener)
    }

    var isEnding: Bool { state.withLock { $0.isEnding } }

    func add(_ socket: Int32) {
        state.withLock {
            $0.sockets.insert(socket)
            if $0.isEnding { Socket.shutDown(socket) }
        }
    }

    func remove(_ socket: Int32) {
        state.withLock {
            $0.sockets.remove(socket)
            close(socket)
        }
    }

    /// Notes a request; the fault that it meets.
    func fault(for head: HTTPMessageHead) -> RequestFault? {
        state.withLock { state in
            state.targets.append(head.target)
            guard !state.isCutOff else { return .refuse }
            guard isChosen(head.requestLine) else { return nil }
            state.chosenSeen += 1
            if let cutting = state.cuttingFault {
                (state.cuttingFault, state.isCutOff) = (nil, true)
                return cutting
            }
            return state.faults.isEmpty ? nil : state.faults.removeFirst()
        }
    }
}
