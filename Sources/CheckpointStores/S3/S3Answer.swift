import CurlHTTP
import Engine

/// What an answer of S3 means for the request.
enum S3Answer {
    case done
    /// There is no such object.
    case absent
    /// `If-None-Match: *` found an object.
    case exists
    /// The request may have been carried out or not, or was put off: find out or send it again.
    case unknown(String)
    case refused(CheckpointError)

    /// So much of an error is read, in bytes: code and message stand at its beginning.
    private static let longestError = 64 << 10

    /// - Parameter subject: what was asked for, for messages.
    /// - Parameter secrets: texts that messages must not hold, should the server repeat them.
    init(_ response: HTTPResponse, subject: String, hiding secrets: [String]) {
        if (200..<300).contains(response.status) {
            self = .done
            return
        }
        let code = S3XML.text(of: "Code", in: response.body.prefix(S3Answer.longestError)) ?? ""
        var words = [code, S3XML.text(of: "Message", in: response.body.prefix(S3Answer.longestError)) ?? ""].filter { !$0.isEmpty }.joined(
            separator: ": ")
        for secret in secrets { words.replace(secret, with: "***") }
        let reason = "\(subject): the server answered \(response.status)\(words.isEmpty ? "" : ", \(words.prefix(300))")"
        switch (response.status, code) {
        case (404, "NoSuchKey"): self = .absent
        case (404, "NoSuchBucket"): self = .refused(CheckpointError(.missing, "\(reason); create the bucket or name another one"))
        case (412, _): self = .exists
        case (408, _), (409, _), (429, _), (500, _), (502..., _): self = .unknown(reason)
        case (400, "RequestTimeout"), (400, "IncompleteBody"), (400, "BadDigest"), (400, "XAmzContentSHA256Mismatch"):
            self = .unknown(reason)
        case (403, "RequestTimeTooSkewed"): self = .refused(CheckpointError(.denied, "\(reason); set this machine's clock"))
        case (403, "SignatureDoesNotMatch"): self = .refused(CheckpointError(.denied, "\(reason); check AWS_SECRET_ACCESS_KEY"))
        case (400, "ExpiredToken"), (400, "InvalidToken"), (400, "TokenRefreshRequired"):
            self = .refused(CheckpointError(.denied, "\(reason); renew AWS_SESSION_TOKEN and the keys that go with it"))
        case (401, _), (403, _):
            self = .refused(CheckpointError(.denied, "\(reason); the keys need s3:GetObject, PutObject, DeleteObject and ListBucket there"))
        case (300..<400, _), (400, "AuthorizationHeaderMalformed"):
            let region = response.header("x-amz-bucket-region").map { "AWS_REGION=\($0)" } ?? "the bucket's AWS_REGION"
            self = .refused(CheckpointError(.invalid, "\(reason); set \(region)"))
        default:
            self = .refused(CheckpointError(.invalid, "\(reason); check that AWS_ENDPOINT_URL is an S3 server that knows If-None-Match"))
        }
    }
}
