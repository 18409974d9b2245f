/// What signs a request the way AWS wants it (version 4).
///
/// libcurl signs; 7.88 does it right only for requests that say the hash of their body in `x-amz-content-sha256`
/// themselves, whose path and query have every byte percent-encoded that is not unreserved, and whose query is sorted.
public struct AWSSignature: Sendable {
    public var accessKey: String
    public var secretKey: String
    public var region: String
    public var service: String

    public init(accessKey: String, secretKey: String, region: String, service: String) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.region = region
        self.service = service
    }
}
