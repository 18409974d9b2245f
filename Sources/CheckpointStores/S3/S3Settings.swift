import CurlHTTP
import Engine

/// Where an S3 bucket is, how to reach it, and the limits of doing so.
///
/// | variable | meaning |
/// |---|---|
/// | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` | needed; profiles and instance roles are not looked for |
/// | `AWS_SESSION_TOKEN` | with temporary credentials |
/// | `AWS_REGION`, else `AWS_DEFAULT_REGION` | needed for AWS itself; `us-east-1` for another endpoint |
/// | `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL` | another server, addressed by path: `<endpoint>/<bucket>/<key>` |
/// | `AWS_CA_BUNDLE` | a file of certificates to trust instead of the system's |
/// | `TIDEMARK_S3_CLIENT_CERTIFICATE`, `TIDEMARK_S3_CLIENT_KEY` | files with this side's certificate and its key, for a server that asks for one |
package struct S3Settings: Sendable {
    package let bucket: String
    /// In front of every key; empty, or without slashes at its ends.
    package let prefix: String
    package let region: String
    /// The URL that keys are appended to: `https://bucket.s3.region.amazonaws.com` or `http://127.0.0.1:9000/bucket`.
    let baseURL: String
    let accessKey: String
    let secretKey: String
    let sessionToken: String?
    let tls: TLSFiles

    /// How often a request whose end is unknown is sent, in all.
    package var attempts = 5
    /// The pause before the second attempt; each later one is twice as long.
    package var firstPause: Duration = .milliseconds(200)
    /// How long a request without a large object may take.
    package var requestTimeout: Duration = .seconds(30)
    /// How long uploading or downloading an object may take, and how long it may stand still.
    package var transferTimeout: Duration = .seconds(6 * 3600)
    package var stallTimeout: Duration = .seconds(30)

    /// What S3 takes in one PUT: 5 GiB. Objects are not uploaded in parts.
    package static let largestObject = 5 << 30

    /// Throws kind `invalid`, saying what is missing or wrong.
    package init(location: String, environment: [String: String]) throws(CheckpointError) {
        let parts = (location.rest(after: "s3://") ?? "").parts(at: "/", maxSplits: 1, omittingEmpty: false)
        bucket = String(parts.first ?? "")
        guard !StoreLocation.mayHoldSecret(location) else { throw StoreLocation.holdsSecret }
        guard S3Settings.isBucket(bucket) else {
            throw CheckpointError(
                .invalid,
                "\"\(location)\" names no bucket: write s3://bucket/prefix, the bucket's name of 3 to 63 letters, digits, dots and dashes")
        }
        var prefix = parts.count > 1 ? parts[1] : ""
        while let shorter = prefix.rest(before: "/") { prefix = shorter }
        if !prefix.isEmpty { _ = try ObjectKey(String(prefix)) }
        self.prefix = String(prefix)
        let endpoint = S3Settings.value(of: ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"], in: environment)
        guard
            let region = S3Settings.value(of: ["AWS_REGION", "AWS_DEFAULT_REGION"], in: environment) ?? endpoint.map({ _ in "us-east-1" })
        else {
            throw CheckpointError(.invalid, "\(location) needs a region: set AWS_REGION, or AWS_ENDPOINT_URL for another server than AWS")
        }
        guard region.utf8.allSatisfy({ PlainName.isByte($0) && $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "_") }) else {
            throw CheckpointError(.invalid, "AWS_REGION is no region: letters, digits and dashes")
        }
        self.region = region
        baseURL = try S3Settings.baseURL(bucket: bucket, region: region, endpoint: endpoint)
        guard let accessKey = S3Settings.value(of: ["AWS_ACCESS_KEY_ID"], in: environment),
            let secretKey = S3Settings.value(of: ["AWS_SECRET_ACCESS_KEY"], in: environment)
        else {
            throw CheckpointError(
                .invalid,
                "\(location) needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (profiles and instance roles are not looked for)"
            )
        }
        self.accessKey = accessKey
        self.secretKey = secretKey
        sessionToken = S3Settings.value(of: ["AWS_SESSION_TOKEN"], in: environment)
        tls = TLSFiles(
            authorities: S3Settings.value(of: ["AWS_CA_BUNDLE"], in: environment),
            certificate: S3Settings.value(of: ["TIDEMARK_S3_CLIENT_CERTIFICATE"], in: environment),
            key: S3Settings.value(of: ["TIDEMARK_S3_CLIENT_KEY"], in: environment))
    }

    package var location: String { prefix.isEmpty ? "s3://\(bucket)" : "s3://\(bucket)/\(prefix)" }

    /// What no message may hold.
    var secrets: [String] { [secretKey, sessionToken, accessKey].compactMap(\.self) }

    private static func baseURL(bucket: String, region: String, endpoint: String?) throws(CheckpointError) -> String {
        guard var endpoint = endpoint?[...] else {
            let domain = region.begins(with: "cn-") ? "amazonaws.com.cn" : "amazonaws.com"
            // A dot in the bucket's name would not match the certificate of its own host.
            return bucket.holds(".") ? "https://s3.\(region).\(domain)/\(bucket)" : "https://\(bucket).s3.\(region).\(domain)"
        }
        while let shorter = endpoint.rest(before: "/") { endpoint = shorter }
        let host = endpoint.rest(after: "http://") ?? endpoint.rest(after: "https://") ?? ""
        guard !host.isEmpty, !host.begins(with: "/"), !host.utf8.contains(where: { $0 <= 0x20 || "@?#".utf8.contains($0) }) else {
            throw CheckpointError(
                .invalid,
                "AWS_ENDPOINT_URL is no address of a server; write http://host:port or https://host, without user, query or spaces")
        }
        return "\(endpoint)/\(bucket)"
    }

    private static func value(of names: [String], in environment: [String: String]) -> String? {
        names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    }

    private static func isBucket(_ name: String) -> Bool {
        (3...63).contains(name.utf8.count) && name.utf8.allSatisfy(PlainName.isByte)
            && name.first?.isPunctuation == false && name.last?.isPunctuation == false
    }
}
