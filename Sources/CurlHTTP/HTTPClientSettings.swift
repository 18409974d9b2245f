/// The limits of an `HTTPClient`.
public struct HTTPClientSettings: Sendable {
    /// How long connecting, name resolution and TLS included, may take.
    public var connectTimeout: Duration = .seconds(5)
    /// A kept connection that was idle for longer is not used again: servers close theirs after a few seconds (ClickHouse
    /// after 3 to 30), and a request that crosses such a close on its way has an unknown end.
    public var idleLimit: Duration = .seconds(2)
    /// A longer response is given up as `unknown`.
    public var responseBodyLimit = 32 << 20
    /// All response headers together; more is given up as `unknown`.
    public var responseHeaderLimit = 256 << 10
    /// A file of certificates to trust instead of the system's.
    public var certificateAuthorityFile: String?
    public var userAgent = "tidemark"

    public init() {}
}
