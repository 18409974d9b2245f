import Dispatch
import Engine
import FlyingFox
import FlyingSocks
import Foundation
import Synchronization

/// Serves a worker's status over HTTP: `/` for people, `/status` as JSON, `/metrics` for Prometheus, `/healthz` while
/// the process answers, `/readyz` while it processes records (503 otherwise). Stops with its last reference.
public final class StatusServer: Sendable {
    /// The port that was bound, also when any free one was asked for.
    public let port: UInt16
    private let running: Task<Void, Never>

    /// How long binding the address may take.
    private static let startLimit: TimeInterval = 10
    /// How long a connection may take for a request.
    private static let requestLimit: TimeInterval = 15

    /// Returns when the page can be asked for.
    ///
    /// - Parameters:
    ///   - host: an IP address of this machine, or `localhost`.
    ///   - port: 0 for any free one.
    ///   - snapshot: called for each request, on any thread; must be quick.
    public init(host: String, port: UInt16, snapshot: @escaping @Sendable () -> StatusSnapshot) async throws {
        let address = try StatusServer.address(host, port)
        let server = HTTPServer(
            config: .init(address: address, timeout: StatusServer.requestLimit, logger: .disabled), handler: StatusHandler(snapshot: snapshot)
        )
        let failure = ServerFailure()
        let listening = Task { try await server.waitUntilListening(timeout: StatusServer.startLimit) }
        let running = Task {
            do {
                try await server.run()
            } catch {
                // Before the page is there, this is why; afterwards it is the end of the server, on purpose.
                failure.set(error)
                listening.cancel()
            }
        }
        do {
            try await listening.value
        } catch {
            running.cancel()
            let reason = failure.get() ?? error
            throw AdminError(
                .invalid,
                "the status page can't be served at \(host):\(port): \(StatusServer.plain(reason)); set http.bind to a free address of this machine, or to off",
                cause: StatusServer.systemError(reason)
            )
        }
        switch await server.listeningAddress {
        case .ip4(_, let bound), .ip6(_, let bound):
            self.port = bound
            self.running = running
        case .unix, nil:
            running.cancel()
            throw AdminError(.bug, "the status page was bound to \(host):\(port), but not to a TCP port")
        }
    }

    /// The same for a thread outside of Swift's concurrency, which it blocks until the page can be asked for.
    public static func start(host: String, port: UInt16, snapshot: @escaping @Sendable () -> StatusSnapshot) throws -> StatusServer {
        let outcome = StartOutcome()
        Task {
            do {
                outcome.set(.success(try await StatusServer(host: host, port: port, snapshot: snapshot)))
            } catch {
                outcome.set(.failure(error))
            }
        }
        return try outcome.wait()
    }

    deinit { running.cancel() }

    /// The system's own words for why a socket can't be had.
    private static func plain(_ error: any Error) -> String {
        guard case SocketError.failed(_, _, let message) = error else { return error.localizedDescription }
        return message
    }

    /// What the system answered, for the exit code.
    private static func systemError(_ error: any Error) -> POSIXError? {
        guard case SocketError.failed(_, let number, _) = error else { return nil }
        return POSIXErrorCode(rawValue: number).map { POSIXError($0) }
    }

    private static func address(_ host: String, _ port: UInt16) throws -> any SocketAddress {
        do {
            if host.holds(":") { return try sockaddr_in6.inet6(ip6: host, port: port) }
            return try sockaddr_in.inet(ip4: host == "localhost" ? "127.0.0.1" : host, port: port)
        } catch {
            throw AdminError(
                .invalid, "the status page can't be served at \(host): expected an IP address of this machine, or localhost; see to http.bind"
            )
        }
    }
}

/// What became of a start, for the thread that waits for it.
private final class StartOutcome: Sendable {
    private let outcome = Mutex<Result<StatusServer, any Error>?>(nil)
    private let isThere = DispatchSemaphore(value: 0)

    func set(_ result: Result<StatusServer, any Error>) {
        outcome.withLock { $0 = result }
        isThere.signal()
    }

    func wait() throws -> StatusServer {
        isThere.wait()
        guard let result = outcome.withLock({ $0 }) else { throw AdminError(.bug, "the status page's start ended without an outcome") }
        return try result.get()
    }
}

/// Why a server ended.
private final class ServerFailure: Sendable {
    private let error = Mutex<(any Error)?>(nil)

    func set(_ failure: any Error) { error.withLock { $0 = failure } }
    func get() -> (any Error)? { error.withLock { $0 } }
}
