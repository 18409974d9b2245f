import Engine

extension CheckpointStore {
    /// How many folders of a store are looked into for other jobs, and how many of those are named.
    private static let mostFolders = 1000
    private static let mostNamed = 10

    /// Throws kind `missing`, naming the jobs that are there, when the store has no checkpoint of this job: a mistyped place is
    /// never an empty store.
    package func requireCheckpoints() throws(CheckpointError) {
        guard try newestNumber() == nil else { return }
        throw try noCheckpoints()
    }

    /// The error of a store without a checkpoint of this job.
    func noCheckpoints() throws(CheckpointError) -> CheckpointError {
        var jobs: [String] = []
        for folder in try objects.folders(limit: CheckpointStore.mostFolders) where folder != job {
            if try holdsManifests(folder) { jobs.append(folder) }
        }
        guard !jobs.isEmpty else {
            return CheckpointError(
                .missing,
                "there are no checkpoints of job \(job) in \(objects.location), nor of any other: check the place, or wait for a run to store the first"
            )
        }
        let others = jobs.count > CheckpointStore.mostNamed ? " and \(jobs.count - CheckpointStore.mostNamed) others" : ""
        return CheckpointError(
            .missing,
            "there are no checkpoints of job \(job) in \(objects.location), but those of \(jobs.prefix(CheckpointStore.mostNamed).joined(separator: ", "))\(others): check the job's name"
        )
    }

    private func holdsManifests(_ folder: String) throws(CheckpointError) -> Bool {
        do throws(CheckpointError) {
            return try !objects.list(prefix: try StoreLayout(job: folder).manifestFolder, after: nil, limit: 1).isEmpty
        } catch {
            // A folder that is no job's, or not for this user.
            guard [.invalid, .denied].contains(error.kind) else { throw error }
            return false
        }
    }

    /// Says beside what is not there what is.
    func isMissing(_ number: ManifestNumber) throws(CheckpointError) -> CheckpointError {
        guard let newest = try newestNumber() else { return try noCheckpoints() }
        return CheckpointError(.missing, "\(location) has no checkpoint \(number); the newest is \(newest)")
    }

    func isMissing(tag name: String) throws(CheckpointError) -> CheckpointError {
        guard try newestNumber() != nil else { return try noCheckpoints() }
        let names = try tags().map(\.name)
        let others = names.count > CheckpointStore.mostNamed ? " and \(names.count - CheckpointStore.mostNamed) others" : ""
        let known = names.isEmpty ? "it has none" : "it has \(names.prefix(CheckpointStore.mostNamed).joined(separator: ", "))\(others)"
        return CheckpointError(.missing, "\(location) has no tag \(name); \(known)")
    }
}
