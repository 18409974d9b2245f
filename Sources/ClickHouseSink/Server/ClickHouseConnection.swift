import CurlHTTP
import Engine

/// Queries of one thread to one server, over a connection that is kept.
///
/// The user's name and password travel in headers, so that no URL, log or error holds them.
final class ClickHouseConnection {
    let settings: ClickHouseSettings
    private let client: HTTPClient
    private let clock: ServerClock?
    private let headers: [(name: String, value: String)]

    /// Answers longer than this are an error; the longest is the list of a batch's row numbers.
    private static let answerLimit = 64 << 20

    /// `clock`: takes note of the dates of the answers.
    init(_ settings: ClickHouseSettings, clock: ServerClock? = nil) throws(SinkError) {
        self.settings = settings
        self.clock = clock
        var limits = HTTPClientSettings()
        limits.connectTimeout = settings.connectTimeout
        limits.responseBodyLimit = ClickHouseConnection.answerLimit
        limits.tls = TLSFiles(
            authorities: settings.certificateAuthorityFile, certificate: settings.clientCertificateFile, key: settings.clientKeyFile)
        do {
            client = try HTTPClient(settings: limits)
        } catch {
            throw SinkError(.bug, "no HTTP client for ClickHouse", cause: error)
        }
        headers =
            [("X-ClickHouse-User", settings.user), ("X-ClickHouse-Key", settings.password)]
            + [("Content-Type", "application/octet-stream")]
    }

    /// Sends `sql` as the body, with `parameters` (settings of the query) in the URL.
    func send(
        _ sql: String, parameters: [(name: String, value: String)] = [], timeout: Duration? = nil, isCancelled: () -> Bool = { false }
    ) -> ClickHouseAnswer {
        var text = sql
        return text.withUTF8 {
            perform(parameters, body: UnsafeRawBufferPointer($0), timeout: timeout ?? settings.queryTimeout, isCancelled)
        }
    }

    /// Sends an INSERT whose data is `body`.
    func insert(
        _ sql: String, parameters: [(name: String, value: String)], body: UnsafeRawBufferPointer, isCancelled: () -> Bool
    ) -> ClickHouseAnswer {
        perform([("query", sql)] + parameters, body: body, timeout: settings.insertTimeout, isCancelled)
    }

    private func perform(
        _ parameters: [(name: String, value: String)], body: UnsafeRawBufferPointer, timeout: Duration, _ isCancelled: () -> Bool
    ) -> ClickHouseAnswer {
        let query = parameters.map { "\($0.name)=\($0.value.percentEncoded())" }.joined(separator: "&")
        let request = HTTPRequest(.post, url: "\(base)/?\(query)", headers: headers, totalTimeout: timeout)
        do {
            let response = try client.perform(request, body: body, isCancelled: isCancelled)
            clock?.note(response)
            if let refusal = ServerRefusal(response) { return .refused(refusal) }
            return .success(body: response.body)
        } catch {
            return .broken(error)
        }
    }

    private var base: Substring { settings.url.rest(before: "/") ?? settings.url[...] }

    /// The rows of a query's answer, each its fields; the query must not name a format.
    /// Throws when the server could not be asked (`retry`) or refused (`invalid`).
    func rows(
        _ sql: String, parameters: [(name: String, value: String)] = [], isCancelled: () -> Bool = { false }
    ) throws(SinkError) -> [[String]] {
        SQLText.rows(tabSeparated: try answer(sql + " FORMAT TabSeparated", parameters, isCancelled))
    }

    /// Runs a statement that answers nothing.
    func execute(_ sql: String, isCancelled: () -> Bool = { false }) throws(SinkError) {
        _ = try answer(sql, [], isCancelled)
    }

    func noAnswer(_ error: HTTPError) -> SinkError {
        let what = error.isOfCertificate ? "is not trusted; see to its certificate" : "gave no answer; start it, or correct clickhouse.url"
        return SinkError(error.kind == .invalidRequest ? .invalid : .retry, "ClickHouse at \(settings.url) \(what)", cause: error)
    }

    private func answer(
        _ sql: String, _ parameters: [(name: String, value: String)], _ isCancelled: () -> Bool
    ) throws(SinkError) -> [UInt8] {
        switch send(sql, parameters: parameters, isCancelled: isCancelled) {
        case .success(let body):
            return body
        case .refused(let refusal):
            throw SinkError(refusal.kind, "ClickHouse at \(settings.url) refused: \(refusal). The statement: \(sql)")
        case .broken(let error):
            throw noAnswer(error)
        }
    }
}

/// Reads a table as this server's replica has it after it caught up with the others.
struct CaughtUpRead {
    let connection: ClickHouseConnection
    let dialect: ServerDialect
    let quotedName: String
    let engine: String

    /// The answer's rows, each its fields; `sql` must not name a format. Throws when the server can't be asked or refuses.
    func rows(_ sql: String, isCancelled: () -> Bool) throws(SinkError) -> [[String]] {
        if engine.begins(with: "Replicated") {
            let lightweight = dialect.hasLightweightSync ? " LIGHTWEIGHT" : ""
            try connection.execute("SYSTEM SYNC REPLICA \(quotedName)\(lightweight)", isCancelled: isCancelled)
        }
        let parameters = engine.begins(with: "Shared") ? [("select_sequential_consistency", "1")] : []
        return try connection.rows(sql, parameters: parameters, isCancelled: isCancelled)
    }
}
