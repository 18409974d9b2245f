import Engine

extension CheckpointStore {
    /// The checkpoints of a job at a location: the path of a directory, or `s3://bucket/prefix`, whose endpoint, region and
    /// credentials come from the usual `AWS_…` variables of `environment` (see `S3Settings`).
    ///
    /// Nothing is read or written yet.
    /// - Parameter isCancelled: asked at least once a second while a store answers slowly; true ends calls with kind `retry`.
    package static func open(
        location: String, job: String, environment: [String: String], findings: @escaping @Sendable (String) -> Void = { _ in },
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(CheckpointError) -> CheckpointStore {
        let scheme = location.prefix { $0 != ":" }
        if location.begins(with: "s3://") {
            let settings = try S3Settings(location: location, environment: environment)
            return try CheckpointStore(objects: S3ObjectStore(settings: settings, isCancelled: isCancelled), job: job, findings: findings)
        }
        guard !StoreLocation.mayHoldSecret(location) else { throw StoreLocation.holdsSecret }
        guard !location.isEmpty, !location.dropFirst(scheme.count).begins(with: "://") else {
            throw CheckpointError(.invalid, "\"\(location)\" is no place for checkpoints; name a directory or s3://bucket/prefix")
        }
        return try CheckpointStore(objects: DirectoryObjectStore(path: location), job: job, findings: findings)
    }
}

/// Addresses of stores as users give them.
enum StoreLocation {
    /// True for an address with a scheme that may have a user or password in front of its host: such as `s3://user:secret@bucket`.
    /// A secret may hold a slash, so that only an @ in what can't be a part of a prefix is harmless.
    static func mayHoldSecret(_ location: String) -> Bool {
        let bytes = Array(location.utf8)
        guard let scheme = bytes.firstRange(of: Array("://".utf8)) else { return false }
        let rest = bytes[scheme.upperBound...]
        guard let at = rest.firstIndex(of: UInt8(ascii: "@")) else { return false }
        return !rest[..<at].contains(UInt8(ascii: "/")) || rest.prefix { $0 != UInt8(ascii: "/") }.contains(UInt8(ascii: ":"))
    }

    /// Repeats nothing of it.
    static let holdsSecret = CheckpointError(
        .invalid,
        "the store's location holds a user or a password, which would be shown and logged: write s3://bucket/prefix, and give the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )
}
