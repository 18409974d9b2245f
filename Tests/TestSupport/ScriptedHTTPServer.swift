import Foundation
import Synchronization

/// A tiny HTTP server that answers as a test says, over connections that are kept.
package final class ScriptedHTTPServer: Sendable {
    package struct Request: Sendable {
        /// The request line and headers.
        package let head: String
        package let body: [UInt8]
        /// Connections are counted from 0.
        package let connection: Int
    }

    package enum Reply: Sendable {
        /// These bytes, then the connection goes on.
        case bytes(String)
        /// Nothing: the connection is closed.
        case close
        /// Nothing, until the client gives up.
        case nothing
    }

    /// What came so far.
    package var requests: [Request] { shared.requests.withLock { $0 } }
    package let port: Int
    private let shared: Shared

    private final class Shared: Sendable {
        let requests = Mutex<[Request]>([])
        let sockets = Mutex<(open: Set<Int32>, connections: Int, threads: Int, isEnding: Bool)>(([], 0, 1, false))
    }

    package init(_ reply: @escaping @Sendable (Request) -> Reply) throws {
        let (listener, port) = try Socket.listen()
        self.port = port
        let shared = Shared()
        self.shared = shared
        Thread.detachNewThread {
            while true {
                let client = accept(listener, nil, nil)
                let number: Int? = shared.sockets.withLock { state in
                    if state.isEnding {
                        if client >= 0 { close(client) }
                        return nil
                    }
                    state.open.insert(client)
                    state.threads += 1
                    state.connections += 1
                    return state.connections - 1
                }
                guard let number else { break }
                Thread.detachNewThread { ScriptedHTTPServer.serve(client, number, shared, reply) }
            }
            close(listener)
            shared.sockets.withLock { $0.threads -= 1 }
        }
    }

    deinit {
        shared.sockets.withLock { state in
            state.isEnding = true
            state.open.forEach { Socket.shutDown($0) }
        }
        // Wakes the accepting thread, which then sees the end.
        if let waker = Socket.connect(port: port) { close(waker) }
        while shared.sockets.withLock({ $0.threads }) > 0 { usleep(2_000) }
    }

    private static func serve(_ client: Int32, _ number: Int, _ shared: Shared, _ reply: @Sendable (Request) -> Reply) {
        var reader = HTTPMessageReader(client)
        serving: while let head = reader.readHead(), let body = reader.readBody(head.contentLength) {
            let request = Request(head: String(decoding: head.bytes, as: UTF8.self), body: body, connection: number)
            shared.requests.withLock { $0.append(request) }
            switch reply(request) {
            case .bytes(let text): guard Socket.write([UInt8](text.utf8), to: client) else { break serving }
            case .close: break serving
            case .nothing:
                reader.waitForEnd()
                break serving
            }
        }
        shared.sockets.withLock { state in
            state.open.remove(client)
            state.threads -= 1
            close(client)
        }
    }
}
