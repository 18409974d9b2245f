import Foundation

/// Serves a worker's status over HTTP: `/` for people, `/status` as JSON, `/metrics` for Prometheus, `/livez` and `/healthz` while the
/// process answers, `/readyz` while it processes records (503 otherwise). Stops with its last reference.
///
/// It is made for neighbours that mean no good: see `ConnectionPool` for what a connection may take, and `PageAccess` for who is shown what.
package final class StatusServer: Sendable {
    /// The port that was bound, also when any free one was asked for.
    package let port: UInt16
    // In this order: nothing is taken any more when the server ends.
    private let listener: PageListener
    private let daemon: HTTPDaemon

    /// Returns when the page can be asked for.
    ///
    /// - Parameters:
    ///   - host: an IP address of this machine, or `localhost`.
    ///   - port: 0 for any free one.
    ///   - access: who is shown what.
    ///   - report: is told what belongs into the log; called on any thread.
    ///   - snapshot: called when somebody asks, on any thread, at most ten times a second; must be quick.
    package convenience init(
        host: String, port: UInt16, access: PageAccess, report: @escaping @Sendable (PageReport) -> Void,
        snapshot: @escaping @Sendable () -> StatusSnapshot
    ) throws(AdminError) {
        try self.init(host: host, port: port, access: access, limits: .init(), report: report, snapshot: snapshot)
    }

    init(
        host: String, port: UInt16, access: PageAccess, limits: ConnectionPool.Limits, report: @escaping @Sendable (PageReport) -> Void,
        snapshot: @escaping @Sendable () -> StatusSnapshot
    ) throws(AdminError) {
        let (socket, address) = try StatusServer.listen(host, port)
        let tallies = EndingTallies(limits)
        let handler = StatusHandler(access, endings: { tallies.counts }, snapshot: snapshot)
        daemon = try HTTPDaemon(limits) { handler.answer($0, at: $1) }
        listener = try PageListener(socket, at: address, daemon: daemon, tallies: tallies, report: report)
        self.port = socket.port
    }

    /// Throws when the page could not be served there; listens for a moment, and answers nobody.
    package static func requireFree(host: String, port: UInt16) throws(AdminError) { _ = try listen(host, port) }

    private static func listen(_ host: String, _ port: UInt16) throws(AdminError) -> (ListeningSocket, NetworkAddress) {
        guard let address = NetworkAddress(host == "localhost" ? "127.0.0.1" : host) else {
            throw AdminError(
                .invalid,
                "the status page can't be served at \(host): expected an IP address of this machine, or localhost; see to http.bind"
            )
        }
        do throws(POSIXError) {
            return (try ListeningSocket(address, port: port), address)
        } catch {
            throw AdminError(
                .invalid,
                "the status page can't be served at \(host):\(port): \(error.words); set http.bind to a free address of this machine, or to off",
                cause: error
            )
        }
    }
}
