import Engine

/// One page of `ListObjectsV2`.
struct S3Listing {
    /// Full keys as the bucket has them, in its order.
    let objects: [(key: String, bytes: Int, modifiedAt: Int64)]
    let isTruncated: Bool

    /// Throws kind `invalid` when this is no such page.
    init(_ xml: String, subject: String) throws(CheckpointError) {
        guard xml.contains("<ListBucketResult"), let truncated = S3XML.text(of: "IsTruncated", in: xml) else {
            throw CheckpointError(.invalid, "\(subject): the answer is no listing of a bucket; check AWS_ENDPOINT_URL")
        }
        var objects: [(key: String, bytes: Int, modifiedAt: Int64)] = []
        for entry in S3XML.texts(of: "Contents", in: xml) {
            guard let key = S3XML.text(of: "Key", in: entry), let bytes = S3XML.text(of: "Size", in: entry).flatMap({ Int($0) }),
                  let modifiedAt = S3XML.text(of: "LastModified", in: entry).flatMap({ EventTime(iso8601: $0) })
            else { throw CheckpointError(.invalid, "\(subject): an entry of the listing lacks its key, size or time; check AWS_ENDPOINT_URL") }
            objects.append((key, bytes, modifiedAt.milliseconds))
        }
        self.objects = objects
        isTruncated = truncated == "true"
    }
}
