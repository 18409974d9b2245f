import CMicroHTTPD
import Foundation
import Synchronization

/// libmicrohttpd with one thread of its own: reads the requests of connections that it is given, and sends what the handler answers.
///
/// @unchecked Sendable: the pool and the counts are behind locks, everything else is immutable; libmicrohttpd's functions that are called
/// from other threads than its own are thread-safe.
final class HTTPDaemon: @unchecked Sendable {
    /// The connections that were added and are not closed yet.
    let pool: Mutex<ConnectionPool>
    private let answer: @Sendable (RequestHead, () -> NetworkAddress?) -> Answer
    /// Set once, before anybody else knows of this object.
    private var daemon: OpaquePointer?

    /// Bytes of a connection for its request's line and headers; the library answers more with 414 or 431.
    private static let connectionMemory = 8 << 10
    /// Nobody has a use for a request's body; as much of one is read, so that its sender is there for the answer.
    private static let maximumBody = 4 << 10
    /// Beside the limits of the pool, which count whole requests: how long nothing at all may come or go.
    private static let idleSeconds: UInt32 = 10

    init(_ limits: ConnectionPool.Limits, answer: @escaping @Sendable (RequestHead, () -> NetworkAddress?) -> Answer) throws(AdminError) {
        pool = Mutex(ConnectionPool(limits))
        self.answer = answer
        let context = Unmanaged.passUnretained(self).toOpaque()
        // More than the pool ever holds: which connection has to go is not for the library to say.
        let connections = UInt32(4 * limits.connections)
        daemon = tidemark_http_start(HTTPDaemon.handle, HTTPDaemon.note, context, connections, HTTPDaemon.connectionMemory, HTTPDaemon.idleSeconds)
        guard daemon != nil else { throw AdminError(.retry, "the status page's server can't be started: \(String(cString: strerror(errno)))") }
    }

    /// Ends every connection; no callback comes afterwards.
    deinit { if let daemon { MHD_stop_daemon(daemon) } }

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

    // MARK: - Callbacks, on the library's thread

    private static func of(_ context: UnsafeMutableRawPointer?) -> HTTPDaemon? { context.map { Unmanaged.fromOpaque($0).takeUnretainedValue() } }

    /// Before anything is read of a connection, and before its descriptor is closed.
    private static let note: MHD_NotifyConnectionCallback = { context, connection, _, event in
        guard let daemon = of(context), let connection else { return }
        let descriptor = tidemark_http_socket(connection)
        daemon.pool.withLock { pool in
            if tidemark_http_is_beginning(event) != 0 { pool.serve(descriptor) } else { pool.remove(descriptor) }
        }
    }

    /// Called with a request's head, then with each piece of its body, then with its end. `state` keeps, from the head on, one more than
    /// the bytes that came of the body. NO closes the connection.
    private static let handle: MHD_AccessHandlerCallback = { context, connection, path, method, _, _, size, state in
        guard let daemon = of(context), let connection, let path, let method, let size, let state else { return .NO }
        guard let before = state.pointee.map({ UInt(bitPattern: $0) }) else {
            state.pointee = UnsafeMutableRawPointer(bitPattern: 1)
            let length = header(MHD_HTTP_HEADER_CONTENT_LENGTH, of: connection).map { Int($0) ?? .max } ?? 0
            return length <= maximumBody ? .YES : daemon.send(Answer(413, "expected no body\n"), to: connection)
        }
        guard size.pointee == 0 else {
            let now = before + UInt(size.pointee)
            guard now <= maximumBody else { return .NO }
            state.pointee = UnsafeMutableRawPointer(bitPattern: now)
            size.pointee = 0
            return .YES
        }
        var request = RequestHead(method: String(cString: method), path: String(cString: path))
        withUnsafeMutablePointer(to: &request) { request in
            _ = MHD_get_connection_values(connection, .HEADER_KIND, noteHeader, request)
        }
        return daemon.send(daemon.answer(request) { localAddress(of: tidemark_http_socket(connection)) }, to: connection)
    }

    private static let noteHeader: MHD_KeyValueIterator = { request, _, name, value in
        guard let request = request?.assumingMemoryBound(to: RequestHead.self), let name else { return .YES }
        let value = value.map { String(cString: $0) } ?? ""
        switch String(cString: name).lowercased() {
        case "host": request.pointee.hosts.append(value)
        case "authorization": request.pointee.authorizations.append(value)
        case "origin": request.pointee.origins.append(value)
        default: break
        }
        return .YES
    }

    private static func header(_ name: String, of connection: OpaquePointer) -> String? {
        MHD_lookup_connection_value(connection, .HEADER_KIND, name).map { String(cString: $0) }
    }

    private func send(_ answer: Answer, to connection: OpaquePointer) -> MHD_Result {
        pool.withLock { $0.noteRequest(of: tidemark_http_socket(connection), at: .now) }
        let body = Unmanaged.passRetained(answer.body)
        let response = MHD_create_response_from_buffer_with_free_callback_cls(
            answer.body.bytes.count, answer.body.bytes.baseAddress, { Unmanaged<AnswerBody>.fromOpaque($0!).release() }, body.toOpaque()
        )
        guard let response else {
            body.release()
            return .NO
        }
        defer { MHD_destroy_response(response) }
        for header in answer.headers where MHD_add_response_header(response, header.name, header.value) != .YES { return .NO }
        return MHD_queue_response(connection, answer.status, response)
    }

    /// The address of this machine that a connection came to.
    private static func localAddress(of descriptor: Int32) -> NetworkAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isKnown = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 }
        }
        return isKnown ? NetworkAddress(storage) : nil
    }
}
