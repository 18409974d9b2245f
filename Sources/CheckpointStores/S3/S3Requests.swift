import CurlHTTP
import Engine

/// Makes the requests for a bucket, each ready to be signed by libcurl (see `AWSSignature` on what it needs for that).
struct S3Requests: Sendable {
    let settings: S3Settings

    func object(_ method: HTTPRequest.Method, _ key: ObjectKey, body: SHA256Digest? = nil, headers: [(name: String, value: String)] = [])
        -> HTTPRequest
    {
        request(method, url: "\(settings.baseURL)/\(prefixed(key.text).percentEncoded(keeping: "/"))", body: body, headers: headers)
    }

    func list(prefix: String, after: String?, limit: Int) -> HTTPRequest {
        var query = [("list-type", "2"), ("max-keys", String(limit)), ("prefix", prefixed(prefix))]
        if let after { query.append(("start-after", after)) }
        let text = query.map { "\($0.0)=\($0.1.percentEncoded())" }.sorted().joined(separator: "&")
        return request(.get, url: "\(settings.baseURL)/?\(text)", body: nil, headers: [])
    }

    /// A key as the bucket has it.
    func prefixed(_ key: String) -> String { settings.prefix.isEmpty ? key : "\(settings.prefix)/\(key)" }

    private func request(_ method: HTTPRequest.Method, url: String, body: SHA256Digest?, headers: [(name: String, value: String)])
        -> HTTPRequest
    {
        var all = headers
        all.append((name: "x-amz-content-sha256", value: (body ?? SHA256.of([])).hex))
        if let token = settings.sessionToken { all.append((name: "x-amz-security-token", value: token)) }
        var request = HTTPRequest(method, url: url, headers: all, totalTimeout: settings.requestTimeout)
        request.stallTimeout = settings.stallTimeout
        request.signature = AWSSignature(
            accessKey: settings.accessKey, secretKey: settings.secretKey, region: settings.region, service: "s3")
        return request
    }
}
