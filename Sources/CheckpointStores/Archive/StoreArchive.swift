import Engine
import Foundation
import Synchronization

/// A checkpoint store as a worker uses it: claims the job, publishes, and notices when another worker has taken over.
///
/// `@unchecked Sendable`: the members are constants and one mutex.
package final class StoreArchive: CheckpointArchive, @unchecked Sendable {
    /// How the archive is used.
    package struct Settings: Sendable {
        /// How many of the newest checkpoints are kept.
        package var keep = 10
        /// What is younger is never collected: longer than the longest restore.
        package var keepAge = Duration.seconds(3600)
        /// The least time between two collections.
        package var collectionInterval = Duration.seconds(60)
        /// The name to publish under; nil for one that no other worker has.
        package var writer: String?
        /// Milliseconds since 1970 UTC.
        package var wallClock: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }

        package init() {}
    }

    private struct State {
        /// The newest manifest as this worker knows it, when it is ours to continue.
        var newest: Manifest?
        /// The link to publish after; nil before the store was asked, or when it is empty.
        var parent: ManifestLink?
        var isClaimed = false
        var lastCollected: ContinuousClock.Instant?
    }

    private let store: CheckpointStore
    private let settings: Settings
    private let record: WriterRecord
    private let writer: String
    private let state = Mutex(State())

    /// `stateDirectory`: where the writers' names are kept; its lock must be held.
    package init(_ store: CheckpointStore, stateDirectory: String, settings: Settings = Settings()) throws {
        self.store = store
        self.settings = settings
        record = try WriterRecord(stateDirectory: stateDirectory)
        let host = ProcessInfo.processInfo.hostName
        writer =
            settings.writer ?? "\(host):\(ProcessInfo.processInfo.processIdentifier):\(String(UInt64.random(in: 0 ... .max), radix: 16))"
    }

    /// Notes in an empty state directory that it is filled from this job's checkpoints, of which `manifests` are the restored
    /// one and all later ones that can be read.
    package static func noteRestored(over manifests: [Manifest], stateDirectory: String) throws {
        try WriterRecord(stateDirectory: stateDirectory).keep(Array(Set(manifests.map(\.writer))))
    }

    /// True when a worker of the state directory wrote the manifest, or the directory was filled from it.
    package static func isOwn(_ manifest: Manifest, stateDirectory: String) throws -> Bool {
        try WriterRecord(stateDirectory: stateDirectory).contains(manifest.writer)
    }

    package func claim(_ facts: CheckpointFacts, _ change: ChangeAtRest) throws -> ArchiveStanding {
        switch try whoseIsIt(facts.lineage, facts.identity, facts.epoch) {
        case .nobodys:
            try record.add([writer])
            state.withLock { $0.isClaimed = true }
        case .own(let newest):
            try record.add([newest.writer, writer])
            // A manifest of an earlier lineage is what this state was restored from: it goes on elsewhere from here, and the
            // first checkpoint says so. The same is true of one that this state supersedes.
            let isGoneOnFrom = newest.lineage == facts.lineage && change != .supersedes
            let own = isGoneOnFrom ? try publishClaim(over: newest) : newest
            state.withLock { state in
                state.newest = own
                state.parent = own.link
                state.isClaimed = true
            }
            guard isGoneOnFrom else { break }
            return ArchiveStanding(
                continues: newest.identity == facts.identity ? newest.epoch : nil, covered: newest.epoch, chain: newest.chain,
                tables: Set(newest.tables.map(\.name))
            )
        case .damaged(let link):
            try record.add([writer])
            state.withLock { state in
                state.parent = link
                state.isClaimed = true
            }
        }
        return ArchiveStanding(continues: nil, covered: nil)
    }

    /// Throws what `claim` would of a worker that goes on from this state, and changes nothing.
    package func requireClaimable(_ restored: RestoredState) throws {
        _ = try whoseIsIt(restored.lineage, restored.identity, restored.epoch)
    }

    /// Whose a job is that may be claimed.
    private enum Owner {
        /// There is no checkpoint.
        case nobodys
        /// A worker of this state directory wrote the newest, or would have.
        case own(Manifest)
        /// The same, of the one before the newest, which can't be read.
        case damaged(ManifestLink)
    }

    private func whoseIsIt(_ lineage: Lineage, _ identity: String, _ epoch: Epoch) throws(CheckpointError) -> Owner {
        let found: Manifest?
        do throws(CheckpointError) {
            found = try store.newest()
        } catch {
            guard error.kind == .corrupt else { throw error }
            guard let link = try store.newestLink(), let known = try newestReadable(before: link.number), record.contains(known.writer)
            else { throw error }
            return .damaged(link)
        }
        guard let newest = found else { return .nobodys }
        try refuseForeign(newest, lineage, identity, epoch)
        return .own(newest)
    }

    /// The newest checkpoint once more, by this writer: of all workers that would go on from it one succeeds.
    private func publishClaim(over newest: Manifest) throws(CheckpointError) -> Manifest {
        let draft = ManifestDraft(
            newest.facts, after: newest.link, retaining: newest.objects, writer: writer, createdAt: settings.wallClock(), reason: .start
        )
        let claim = try store.publish(draft, files: [])
        try record.keep([writer])
        return claim
    }

    private func newestReadable(before number: ManifestNumber) throws(CheckpointError) -> Manifest? {
        for checkpoint in try store.liveCheckpoints() where checkpoint.number < number {
            if let manifest = try checkpoint.manifest(unless: [.corrupt, .missing]) { return manifest }
        }
        return nil
    }

    /// Throws when the newest manifest is of a worker that went on from another copy of the job's state.
    private func refuseForeign(_ newest: Manifest, _ lineage: Lineage, _ identity: String, _ epoch: Epoch) throws(CheckpointError) {
        let who = "checkpoint \(newest.number) of \(store.location), by \(newest.writer), lineage \(newest.lineage), epoch \(newest.epoch)"
        guard newest.lineage <= lineage || newest.reason != .rewind else {
            throw CheckpointError(
                .fenced,
                "`checkpoint rewind` went back in this job: \(who). This state directory is from before that (lineage \(lineage)): remove it, or move it away, and start again; an empty one is restored from that checkpoint"
            )
        }
        guard newest.lineage <= lineage else {
            throw CheckpointError(
                .fenced,
                "the job was restored elsewhere and goes on there: \(who). Stop this worker; its state (lineage \(lineage)) is not the job's any more"
            )
        }
        if record.contains(newest.writer) {
            guard newest.lineage < lineage || newest.epoch <= epoch else {
                throw CheckpointError(
                    .invalid,
                    "the state directory is older (epoch \(epoch)) than what was made of it: \(who). Use the directory as the last run left it, or move it away and start with an empty one, which is restored from the checkpoint"
                )
            }
            return
        }
        guard record.isEmpty, newest.identity == identity, newest.lineage == lineage, newest.epoch <= epoch else {
            throw CheckpointError(
                .fenced,
                "another worker has gone on with this job: \(who). If that worker is to be replaced, move this state directory away and start with an empty one and --take-over; if the checkpoints are another job's, set another checkpoints.store or job.id"
            )
        }
    }

    package func publish(_ checkpoint: FinishedCheckpoint) throws -> PublishedCheckpoint {
        let (newest, parent, isClaimed) = state.withLock { ($0.newest, $0.parent, $0.isClaimed) }
        guard isClaimed else { throw CheckpointError(.bug, "a checkpoint was published before the job was claimed") }
        let facts = checkpoint.facts
        let (kind, retained): (ManifestObject.Kind?, [ManifestObject]) =
            switch checkpoint.content {
            case .base: (.base, [])
            case .delta(let epoch): (.delta(after: epoch), try objects(of: newest, at: epoch))
            case .nothing: (nil, newest?.objects ?? [])
            }
        let draft = ManifestDraft(
            facts, after: parent, retaining: retained, writer: writer, createdAt: settings.wallClock(),
            reason: CheckpointReason(rawValue: checkpoint.reason.rawValue)
        )
        let manifest: Manifest
        do throws(CheckpointError) {
            manifest = try store.publish(draft, files: kind.map { [NewObject(kind: $0, file: checkpoint.file, epoch: facts.epoch)] } ?? [])
        } catch {
            if error.kind == .retry { try adoptOwn(after: parent) }
            throw error
        }
        try record.keep([writer])
        state.withLock { state in
            state.newest = manifest
            state.parent = manifest.link
        }
        return PublishedCheckpoint(
            number: manifest.number.number, epoch: manifest.epoch, addedBytes: manifest.objects.last?.digest.bytes ?? 0,
            totalBytes: manifest.bytes
        )
    }

    /// What a delta after `epoch` continues.
    private func objects(of newest: Manifest?, at epoch: Epoch) throws(CheckpointError) -> [ManifestObject] {
        guard let newest, newest.epoch == epoch else {
            throw CheckpointError(
                .invalid,
                "the newest checkpoint of \(store.location) is of epoch \(newest?.epoch ?? Epoch(0)), not \(epoch): the next one has to be a base"
            )
        }
        return newest.objects
    }

    /// After an answer that was lost: a manifest of ours that is there is what comes before the next one.
    private func adoptOwn(after parent: ManifestLink?) throws(CheckpointError) {
        do throws(CheckpointError) {
            guard let newest = try store.newest(), newest.writer == writer, newest.link != parent else { return }
            state.withLock { state in
                state.newest = newest
                state.parent = newest.link
            }
        } catch {
            // Still not to be asked: the next try finds out.
            guard error.kind == .retry else { throw error }
        }
    }

    package func confirmOwnership() throws {
        let (known, isClaimed) = state.withLock { ($0.parent?.number, $0.isClaimed) }
        guard isClaimed, let number = try store.newestNumber(), known.map({ number > $0 }) ?? true else { return }
        try refuseOther(number)
    }

    /// A manifest that this worker doesn't know of: one of its own is on its way just now, or another worker has the job.
    private func refuseOther(_ number: ManifestNumber) throws(CheckpointError) {
        do throws(CheckpointError) {
            guard case .manifest(let manifest)? = try store.manifest(number) else {
                throw CheckpointError(.corrupt, "checkpoint \(number) is gone already")
            }
            guard manifest.writer != writer else { return }
            guard manifest.reason != .rewind else {
                throw CheckpointError(
                    .fenced,
                    "`checkpoint rewind` went back in this job: checkpoint \(number) of \(store.location), lineage \(manifest.lineage). This worker stops; remove its state directory, or move it away, and start again: an empty one is restored from that checkpoint"
                )
            }
            throw CheckpointError(
                .fenced,
                "another worker has taken the job over: checkpoint \(number) of \(store.location) is by \(manifest.writer), lineage \(manifest.lineage). This worker stops; its state is not the job's any more"
            )
        } catch {
            guard [.corrupt, .incompatible, .invalid].contains(error.kind) else { throw error }
            throw CheckpointError(
                .fenced, "another worker has written checkpoint \(number) of \(store.location), which this one can't read; this one stops",
                cause: error)
        }
    }

    package func collect() throws {
        let isDue = state.withLock { state in
            guard state.lastCollected.map({ .now - $0 >= settings.collectionInterval }) ?? true else { return false }
            state.lastCollected = .now
            return true
        }
        guard isDue else { return }
        _ = try store.collect(RetentionPolicy(last: settings.keep), olderThan: settings.keepAge, now: settings.wallClock())
    }
}
