import CurlHTTP
import Engine

/// What came of one request to the server.
enum ClickHouseAnswer {
    /// HTTP 200 without an exception header.
    case success(body: [UInt8])
    /// The server, or something in front of it, answered with anything else.
    case refused(ServerRefusal)
    /// No whole answer.
    case broken(HTTPError)
}

/// An answer that is no success.
struct ServerRefusal: CustomStringConvertible {
    let status: Int
    /// ClickHouse's error number; nil when the answer holds none.
    let code: Int?
    let text: String
    /// Who answered in ClickHouse's place, as it calls itself; nil for ClickHouse.
    let front: String?

    /// `QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING`
    static let queryIsRunning = 216
    /// `UNFINISHED`: a mutation was accepted and is not done when the server stops waiting for it.
    static let unfinished = 341
    /// `NOT_IMPLEMENTED`, as engines answer that know no mutations.
    static let notImplemented = 48
    /// `UNKNOWN_TABLE`
    static let unknownTable = 60
    /// `UNKNOWN_DATABASE`
    static let unknownDatabase = 81
    /// `UNKNOWN_USER`, `WRONG_PASSWORD`, `REQUIRED_PASSWORD`, `DATABASE_ACCESS_DENIED`, `ACCESS_DENIED`, `AUTHENTICATION_FAILED`, `READONLY`
    static let denials: Set<Int> = [164, 192, 193, 194, 291, 497, 516]

    /// Of these, those about who asks and not about what for.
    private static let wrongCredentials: Set<Int> = [192, 193, 194, 516]

    /// HTTP's word for a user or password that is not taken; the servers of today say it before any query runs.
    private static let unauthorized = 401

    /// Longer server messages are cut.
    private static let textLimit = 600

    /// nil when the response is a success in every respect that its headers show.
    init?(_ response: HTTPResponse) {
        let header = response.header("X-ClickHouse-Exception-Code")
        // ClickHouse answers queries with text: a page for people, of a login say, is somebody else's.
        let isPage = response.header("Content-Type")?.lowercased().begins(with: "text/html") ?? false
        guard response.status != 200 || header != nil || isPage else { return nil }
        status = response.status
        let full = response.text
        code = header.flatMap { Int($0) } ?? ServerRefusal.code(in: full)
        let isClickHouses = code != nil || !isPage && response.headers.contains { $0.name.lowercased().begins(with: "x-clickhouse-") }
        front = isClickHouses ? nil : response.header("Server") ?? "something"
        text = ServerRefusal.shortened(isClickHouses ? full : PageText.words(of: response.body))
    }

    init(status: Int, text: String) {
        self.status = status
        code = ServerRefusal.code(in: text)
        self.text = ServerRefusal.shortened(text)
        front = nil
    }

    private static func shortened(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(textLimit))).escaped { $0 == UInt8(ascii: "\n") ? " " : nil }
    }

    /// What the caller has to do. Without an error number of ClickHouse's, something in front of it answered.
    var kind: FailureKind {
        switch code {
        case nil where status == ServerRefusal.unauthorized: .denied
        case nil: .retry
        case ServerRefusal.unknownTable, ServerRefusal.unknownDatabase: .missing
        case .some(let code) where ServerRefusal.denials.contains(code): .denied
        default: .invalid
        }
    }

    /// The number in `Code: 60. DB::Exception: …` or `Code: 60, e.displayText() = …`.
    private static func code(in text: String) -> Int? {
        text.rest(after: "Code: ").flatMap { Int(String(decoding: $0.utf8.prefix { (0x30...0x39).contains($0) }, as: UTF8.self)) }
    }

    var description: String {
        let who = front.map { " of \($0.escaped { _ in nil }), which stands in front of ClickHouse" } ?? ""
        return "HTTP \(status)\(who)\(text.isEmpty ? "" : ": \(text)")\(advice.map { " – \($0)" } ?? "")"
    }

    /// Sending it again is of no use before somebody has changed something.
    var needsSomebody: Bool { front != nil && [403, 413, 414, 431].contains(status) }

    /// What to do about an answer that says too little of it; nil for others.
    private var advice: String? {
        switch (code, status) {
        case (nil, 300..<400):
            "redirections are not followed, since the password would go there too: set clickhouse.url to the address where ClickHouse itself answers"
        case (nil, ServerRefusal.unauthorized): "correct clickhouse.user and clickhouse.password"
        case (.some(let code), _) where ServerRefusal.wrongCredentials.contains(code): "correct clickhouse.user and clickhouse.password"
        case _ where front == nil: nil
        case (_, 403):
            "it does not let this through: have it pass POST requests from this machine with any body, or set clickhouse.url past it"
        case (_, 413):
            "raise its limit of a request's body (nginx: client_max_body_size) beyond a batch, to 64 MiB to be sure, or set clickhouse.url past it"
        case (_, 414), (_, 431):
            "raise its limit of a request's line and headers (nginx: large_client_header_buffers) to 16 KiB, or set clickhouse.url past it"
        case (_, 502), (_, 503):
            "ClickHouse behind it is away, or refuses connections: start it, and see to the address that it passes on to"
        case (_, 504), (_, 408):
            "it waits for ClickHouse for too short a time: raise its time-out (nginx: proxy_read_timeout) beyond 60 s, or set clickhouse.url past it"
        default: "see to its log, and to clickhouse.url"
        }
    }
}
