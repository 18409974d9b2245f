import CMicroHTTPD
import Foundation

/// libmicrohttpd with one thread of its own: reads the requests of connections that it is given, and sends what the handler answers.
///
/// @unchecked Sendable: immutable; libmicrohttpd's functions that are called from other threads than its own are thread-safe.
final class HTTPDaemon: @unchecked Sendable {
    let callbacks: RequestCallbacks
    private let daemon: OpaquePointer

    /// Bytes of a connection for its request's line and headers; the library answers more with 414 or 431.
    private static let connectionMemory = 8 << 10
    /// Beside the limits of the pool, which count whole requests: how long nothing at all may come or go.
    private static let idleSeconds: UInt32 = 10

    init(_ limits: ConnectionPool.Limits, answer: @escaping @Sendable (RequestHead, () -> NetworkAddress?) -> Answer) throws(AdminError) {
        callbacks = RequestCallbacks(limits, answer: answer)
        let context = Unmanaged.passUnretained(callbacks).toOpaque()
        // More than the pool ever holds: which connection has to go is not for the library to say.
        let connections = UInt32(4 * limits.connections)
        let started = tidemark_http_start(
            RequestCallbacks.handle, RequestCallbacks.note, context, connections, HTTPDaemon.connectionMemory, HTTPDaemon.idleSeconds
        )
        guard let started else {
            throw AdminError(.retry, "the status page's server can't be started: \(String(cString: strerror(errno)))")
        }
        daemon = started
    }

    /// Ends every connection; no callback comes afterwards, and none of them holds this object, so that it never ends on the library's
    /// own thread.
    deinit { MHD_stop_daemon(daemon) }

    /// Hands a connection over, which is closed when it is done, also when this fails.
    func add(_ descriptor: Int32) -> Bool {
        // The library asks for the neighbour's address, and nobody asks the library for it.
        var unknown = sockaddr_in()
        unknown.sin_family = sa_family_t(AF_INET)
        return withUnsafePointer(to: &unknown) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                MHD_add_connection(daemon, descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == .YES
            }
        }
    }
}
