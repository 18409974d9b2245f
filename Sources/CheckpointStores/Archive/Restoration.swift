import Engine

/// Which checkpoint a worker without a state goes on from, and as what: decided from what the store holds.
package struct Restoration: Sendable {
    /// What the operator wants, and what is known of the job.
    package struct Wish: Sendable {
        /// The checkpoint to restore; nil for the newest that can be.
        package var named: CheckpointReference?
        /// The operator said that the worker that wrote the newest checkpoint is gone.
        package var takesOver = false
        package var durability = Durability.local
        /// How often the job's worker writes a checkpoint.
        package var interval = Duration.seconds(30)
        /// Those whose objects turned out to be damaged.
        package var unusable: Set<ManifestNumber> = []
        /// Milliseconds since 1970 UTC.
        package var now: Int64

        package init(now: Int64) { self.now = now }
    }

    /// The checkpoint to restore; its objects are there.
    package let manifest: Manifest
    /// It and all later ones that can be read, newest first.
    package let later: [Manifest]
    /// The lineage to begin with it; nil to go on in its own, where nothing was delivered after it.
    package let lineage: Lineage?
    /// The output tables that rows may have been delivered to: the later checkpoints may be of a version of the job that had more.
    package var tables: Set<String> { Set(later.flatMap(\.tables).map(\.name)) }

    /// A checkpoint of a worker that did not drain is taken without asking when it is older than so many intervals.
    private static let silentIntervals = 3

    /// Checkpoints that no worker has gone on from: it drained, or the checkpoint tool wrote them.
    private static let unowned: Set<CheckpointReason> = [.drain, .rewind, .copy]

    /// True for a job's newest checkpoint that no worker has gone on from.
    package static func isUnowned(_ newest: Manifest) -> Bool { unowned.contains(newest.reason) }

    /// How often a checkpoint that came meanwhile is looked at in place of the one before: a worker that is gone has one under way at most.
    private static let looks = 2

    /// nil when there is no checkpoint at all. Newer ones that are damaged are told to `refused`.
    ///
    /// Throws `locked` when the worker of the newest may be running, `corrupt` when none can be restored, `invalid` when the
    /// named one must not be, and what the store throws.
    package static func choose(
        in store: CheckpointStore, _ wish: Wish, refused: (ManifestNumber, CheckpointError) -> Void
    ) throws(CheckpointError) -> Restoration? {
        for _ in 1..<looks {
            guard let found = try look(in: store, wish, refused) else { return nil }
            if wish.named != nil || !found.isOvertaken { return found.restoration }
        }
        return try look(in: store, wish, refused)?.restoration
    }

    /// `isOvertaken`: a newer one came while it was looked at.
    private static func look(
        in store: CheckpointStore, _ wish: Wish, _ refused: (ManifestNumber, CheckpointError) -> Void
    ) throws(CheckpointError) -> (restoration: Restoration, isOvertaken: Bool)? {
        guard let number = try store.newestNumber() else { return nil }
        let manifest =
            if let named = wish.named { try verified(named, in: store) } else { try newest(upTo: number, in: store, wish, refused) }
        var later: [Manifest] = []
        var unreadable = 0
        for checkpoint in try store.liveCheckpoints() where checkpoint.number >= manifest.number {
            if let readable = try checkpoint.manifest(unless: [.corrupt, .missing]) {
                later.append(readable)
            } else {
                unreadable += 1
            }
        }
        try refuseAbandoned(manifest, later)
        if let newest = later.first { try refuseRunningOwner(newest, wish) }
        // A shared state goes on where its newest checkpoint ends; anything before that leaves rows in the sink.
        let isAhead = wish.durability == .local || later.count + unreadable > 1
        let last = later.map(\.lineage).max() ?? manifest.lineage
        let restoration = Restoration(
            manifest: manifest, later: later, lineage: isAhead ? try Lineage.after(last, andUnreadable: unreadable, in: store) : nil)
        return (restoration, later.first.map { $0.number > number } ?? false)
    }

    /// True when the newest checkpoint can be read and is of no worker of this state directory: a state without epochs there
    /// is what a start left that was refused, and not in the way of a restoration.
    package static func isOfOthers(_ store: CheckpointStore, stateDirectory: String) throws -> Bool {
        guard let newest = try store.liveCheckpoints().first, case .success(let manifest) = newest.manifest else { return false }
        return try !StoreArchive.isOwn(manifest, stateDirectory: stateDirectory)
    }

    private static func newest(
        upTo number: ManifestNumber, in store: CheckpointStore, _ wish: Wish, _ refused: (ManifestNumber, CheckpointError) -> Void
    ) throws(CheckpointError) -> Manifest {
        guard let verified = try store.newestVerified(deep: false, except: wish.unusable, refused: refused) else {
            throw CheckpointError(
                .corrupt,
                "none of the checkpoints up to \(number) of \(store.location) can be restored; see `checkpoint verify --all`, or begin anew with state.restore: never, another checkpoints.store and new tables"
            )
        }
        return verified
    }

    private static func verified(_ named: CheckpointReference, in store: CheckpointStore) throws(CheckpointError) -> Manifest {
        let manifest = try store.resolve(named)
        try store.verify(manifest, deep: false)
        return manifest
    }

    /// A later lineage that began before this checkpoint has rolled back rows that the checkpoint counts as delivered.
    private static func refuseAbandoned(_ manifest: Manifest, _ all: [Manifest]) throws(CheckpointError) {
        guard let later = all.first(where: manifest.isAbandoned) else { return }
        throw CheckpointError(
            .invalid,
            "checkpoint \(manifest.number) (epoch \(manifest.epoch)) can't be restored any more: checkpoint \(later.number) is of lineage \(later.lineage) and of epoch \(later.epoch), so rows that this one counts were rolled back. Name one of lineage \(later.lineage) or later"
        )
    }

    /// A configuration that was copied must not take the job away from a worker that runs.
    private static func refuseRunningOwner(_ newest: Manifest, _ wish: Wish) throws(CheckpointError) {
        let age = Duration.milliseconds(wish.now - newest.createdAt)
        let silence = wish.interval * silentIntervals
        guard !isUnowned(newest), age < silence, !wish.takesOver else { return }
        throw CheckpointError(
            .locked,
            "the state directory is empty, and the worker \(newest.writer) wrote checkpoint \(newest.number) only \(age.components.seconds) s ago and did not drain since: it may be running. If it is gone for good, start with --take-over; else stop it, or wait until its last checkpoint is \(silence.components.seconds) s old"
        )
    }
}

extension Lineage {
    /// The lineage to begin after `last` and those that checkpoints which can't be read may be of. Throws kind `invalid` when
    /// there is none.
    package static func after(_ last: Lineage, andUnreadable count: Int, in store: CheckpointStore) throws(CheckpointError) -> Lineage {
        guard let next = Lineage(stored: Int64(last.number) + 1 + Int64(count)) else {
            throw CheckpointError(
                .invalid,
                "\(store.location) is at lineage \(last), and there is none left to begin: begin anew with an empty state directory, another checkpoints.store and new tables"
            )
        }
        return next
    }
}
