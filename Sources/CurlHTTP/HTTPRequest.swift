/// An HTTP request without its body, which is passed beside it so that a large one is never copied.
public struct HTTPRequest: Sendable {
    public enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
        case head = "HEAD"
    }

    public var method: Method
    /// `http://` or `https://`; errors show it up to its `?`, so it must not hold secrets.
    public var url: String
    public var headers: [(name: String, value: String)]
    /// From the first byte sent to the last one received.
    public var totalTimeout: Duration
    /// The longest time without a byte in either direction, in whole seconds; nil leaves it to `totalTimeout`.
    public var stallTimeout: Duration?
    /// nil sends the request as it is.
    public var signature: AWSSignature?

    public init(_ method: Method, url: String, headers: [(name: String, value: String)] = [], totalTimeout: Duration = .seconds(30)) {
        self.method = method
        self.url = url
        self.headers = headers
        self.totalTimeout = totalTimeout
    }
}
