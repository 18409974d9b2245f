import CurlHTTP
import Engine
import Synchronization

/// HTTP clients that are free, so that each call has one of its own and connections are kept.
final class S3Connections: Sendable {
    private let settings: HTTPClientSettings
    private let idle = Mutex<[IdleClient]>([])

    /// More are closed when they become free.
    static let mostIdle = 4

    /// Sendable although its client is for one thread at a time: who took it out of the pool, under the lock, has it alone.
    private struct IdleClient: @unchecked Sendable {
        let client: HTTPClient
    }

    init(_ tls: TLSFiles) {
        var settings = HTTPClientSettings()
        settings.tls = tls
        self.settings = settings
    }

    func with<Result>(_ body: (HTTPClient) throws(HTTPError) -> Result) throws(HTTPError) -> Result {
        let taken = idle.withLock { $0.popLast() }
        let holder: IdleClient
        if let taken { holder = taken } else { holder = IdleClient(client: try HTTPClient(settings: settings)) }
        defer {
            idle.withLock { if $0.count < S3Connections.mostIdle { $0.append(holder) } }
        }
        return try body(holder.client)
    }
}
