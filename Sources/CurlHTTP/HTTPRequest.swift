/// An HTTP request without its body, which is passed beside it so that a large one is never copied.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
        case head = "HEAD"
    }

    package var method: Method
    /// `http://` or `https://`; errors show it up to its `?`, so it must not hold secrets.
    package var url: String
    package var headers: [(name: String, value: String)]
    /// From the first byte sent to the last one received.
    package var totalTimeout: Duration
    /// The longest time without a byte in either direction, in whole seconds; nil leaves it to `totalTimeout`.
    package var stallTimeout: Duration?
    /// nil sends the request as it is.
    package var signature: AWSSignature?

    package init(_ method: Method, url: String, headers: [(name: String, value: String)] = [], totalTimeout: Duration = .seconds(30)) {
        self.method = method
        self.url = url
        self.headers = headers
        self.totalTimeout = totalTimeout
    }
}

/// What a request sends.
enum HTTPBody {
    case bytes(UnsafeRawBufferPointer)
    case file(descriptor: Int32, length: Int)

    var length: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .file(_, let length): length
        }
    }
}

/// What signs a request the way AWS wants it (version 4).
///
/// libcurl signs; 7.88 does it right only for requests that say the hash of their body in `x-amz-content-sha256`
/// themselves, whose path and query have every byte percent-encoded that is not unreserved, and whose query is sorted.
package struct AWSSignature: Sendable {
    package var accessKey: String
    package var secretKey: String
    package var region: String
    package var service: String

    package init(accessKey: String, secretKey: String, region: String, service: String) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.region = region
        self.service = service
    }
}
