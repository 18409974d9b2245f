import Engine

/// One page of `ListObjectsV2`.
struct S3Listing {
    /// Full keys as the bucket has them, in its order.
    let objects: [(key: String, bytes: Int, modifiedAt: Int64)]
    let isTruncated: Bool

    /// Throws kind `invalid` when this is no such page, or has more than the `limit` entries that were asked for, entries outside
    /// of `prefix`, or entries that do not come after `last`, each after the one before it.
    init(_ xml: [UInt8], prefix: String, after last: String?, limit: Int, subject: String) throws(CheckpointError) {
        func unfit(_ what: String) -> CheckpointError { CheckpointError(.invalid, "\(subject): \(what); check AWS_ENDPOINT_URL") }
        guard xml.firstRange(of: Array("<ListBucketResult".utf8)) != nil, let truncated = S3XML.text(of: "IsTruncated", in: xml) else {
            throw unfit("the answer is no listing of a bucket")
        }
        var objects: [(key: String, bytes: Int, modifiedAt: Int64)] = []
        var before = last
        for entry in S3XML.texts(of: "Contents", in: xml) {
            guard let key = S3XML.text(of: "Key", in: entry), let bytes = S3XML.text(of: "Size", in: entry).flatMap({ Int64($0) }),
                StoredBounds.bytes.contains(bytes),
                let modifiedAt = S3XML.text(of: "LastModified", in: entry).flatMap({ EventTime(iso8601: $0) })
            else { throw unfit("an entry of the listing lacks its key, size or time") }
            guard key.utf8.starts(with: prefix.utf8) else { throw unfit("an entry of the listing is of another place than was asked for") }
            // A listing that does not go on has no end.
            guard before.map({ $0.utf8.lexicographicallyPrecedes(key.utf8) }) ?? true else {
                throw unfit("the listing does not go on: an entry does not come after the one before it")
            }
            before = key
            objects.append((key, Int(bytes), modifiedAt.milliseconds))
            guard objects.count <= limit else { throw unfit("the listing has more entries than were asked for") }
        }
        isTruncated = truncated == "true"
        guard !isTruncated || !objects.isEmpty else { throw unfit("the listing says that it goes on, and has no entries") }
        self.objects = objects
    }
}
