import CMicroHTTPD
import Foundation
import Synchronization

/// What libmicrohttpd's callbacks work on. An object of its own beside the daemon: a callback may be the last to hold it, on the
/// library's thread, which can't end itself.
///
/// @unchecked Sendable: the pool is behind a lock, everything else is immutable.
final class RequestCallbacks: @unchecked Sendable {
    /// The connections that were added and are not closed yet.
    let pool: Mutex<ConnectionPool>
    private let answer: @Sendable (RequestHead, () -> NetworkAddress?) -> Answer

    /// Nobody has a use for a request's body; as much of one is read, so that its sender is there for the answer.
    private static let maximumBody = 4 << 10

    init(_ limits: ConnectionPool.Limits, answer: @escaping @Sendable (RequestHead, () -> NetworkAddress?) -> Answer) {
        pool = Mutex(ConnectionPool(limits))
        self.answer = answer
    }

    // MARK: - Callbacks, on the library's thread

    private static func of(_ context: UnsafeMutableRawPointer?) -> RequestCallbacks? {
        context.map { Unmanaged.fromOpaque($0).takeUnretainedValue() }
    }

    /// Before anything is read of a connection, and before its descriptor is closed.
    static let note: MHD_NotifyConnectionCallback = { context, connection, _, event in
        guard let callbacks = of(context), let connection else { return }
        let descriptor = tidemark_http_socket(connection)
        callbacks.pool.withLock { pool in
            if tidemark_http_is_beginning(event) != 0 { pool.serve(descriptor) } else { pool.remove(descriptor) }
        }
    }

    /// Called with a request's head, then with each piece of its body, then with its end. `state` keeps, from the head on, one more than
    /// the bytes that came of the body. NO closes the connection.
    static let handle: MHD_AccessHandlerCallback = { context, connection, path, method, _, _, size, state in
        guard let callbacks = of(context), let connection, let path, let method, let size, let state else { return .NO }
        guard let before = state.pointee.map({ UInt(bitPattern: $0) }) else {
            state.pointee = UnsafeMutableRawPointer(bitPattern: 1)
            let length = header(MHD_HTTP_HEADER_CONTENT_LENGTH, of: connection).map { Int($0) ?? .max } ?? 0
            return length <= maximumBody ? .YES : callbacks.send(Answer(413, "expected no body\n"), to: connection)
        }
        guard size.pointee == 0 else {
            let now = before + UInt(size.pointee)
            guard now <= maximumBody + 1 else { return .NO }
            state.pointee = UnsafeMutableRawPointer(bitPattern: now)
            size.pointee = 0
            return .YES
        }
        var request = RequestHead(method: String(cString: method), path: String(cString: path))
        withUnsafeMutablePointer(to: &request) { request in
            _ = MHD_get_connection_values(connection, .HEADER_KIND, noteHeader, request)
        }
        return callbacks.send(callbacks.answer(request) { localAddress(of: tidemark_http_socket(connection)) }, to: connection)
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

/// What a request says before its body.
struct RequestHead: Sendable {
    var method = "GET"
    /// Without what follows a `?`.
    var path: String
    /// Of each header that is looked at, every value that was given.
    var hosts: [String] = []
    var authorizations: [String] = []
    var origins: [String] = []
}
