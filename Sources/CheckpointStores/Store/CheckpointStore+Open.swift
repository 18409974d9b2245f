import Engine

extension CheckpointStore {
    /// The checkpoints of a job at a location: the path of a directory, or `s3://bucket/prefix`, whose endpoint, region and
    /// credentials come from the usual `AWS_…` variables of `environment` (see `S3Settings`).
    ///
    /// Nothing is read or written yet.
    /// - Parameter isCancelled: asked at least once a second while a store answers slowly; true ends calls with kind `retry`.
    public static func open(
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
