import ArgumentParser
import CheckpointStores
import CommandLineParts
import Engine
import Foundation
import SQLiteState

/// `checkpoint rewind`
struct RewindCommand: CheckpointVerb {
    static let configuration = verb(
        "rewind", abstract: "Goes back to a checkpoint: begins a new lineage with it and publishes that as the newest.",
        discussion: """
            A worker that runs the job meanwhile loses it. The rows that were delivered after the checkpoint are deleted from the \
            sink when the job starts next, which then computes them again; --sink delete says that this is wanted. With --to, \
            the state directory for that start is made here; without, the job restores the checkpoint from the store itself.
            """
    )

    enum SinkRows: String, ExpressibleByArgument, CaseIterable {
        case delete
    }

    static let defaultReference: String? = nil

    @OptionGroup var words: CheckpointWords<RewindCommand>

    @Option(name: .customLong("sink"), help: "What becomes of later rows in the sink; has to be said.")
    var sinkRows: SinkRows?

    @Option(name: .customLong("to"), help: ArgumentHelp("A directory that is empty or not there yet.", valueName: "directory"))
    var target: String?

    @OptionGroup var change: ChangeOptions
    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard sinkRows == nil else { return }
        throw ValidationError(
            "--sink is missing: add --sink \(SinkRows.allCases.map(\.rawValue).joined(separator: " or ")) to say that rows delivered after the checkpoint are to be deleted from the sink when the job starts next"
        )
    }

    func run() throws {
        let (store, manifest) = try source.stored(reference)
        let (newest, unreadable) = try newestReadable(store)
        // Each that can't be read may have begun a lineage of its own.
        let lineage = try Lineage.after(max(newest.lineage, manifest.lineage), andUnreadable: unreadable, in: store)
        let tables = try tables(since: manifest, in: store)
        try plan(manifest, newest, lineage, tables, store).carryOut {
            let directory = try target.map { try NewDirectory($0) }
            let file = try directory?.temporaryPath ?? Scratch.make()
            let facts = try CheckpointSource.assemble(manifest, of: store, in: file, beginning: lineage, tables: tables)
            let base = NewObject(kind: .base, file: file + "/state.db", epoch: facts.epoch)
            _ = try store.publish(facts, files: [base], reason: .rewind)
            try directory?.publish()
        }
    }

    /// The newest checkpoint that can be read, and how many newer ones can't.
    private func newestReadable(_ store: CheckpointStore) throws -> (Manifest, unreadable: Int) {
        var unreadable = 0
        for checkpoint in try store.liveCheckpoints() {
            if let manifest = try checkpoint.manifest(unless: [.corrupt, .incompatible, .missing]) { return (manifest, unreadable) }
            unreadable += 1
        }
        throw ToolError(.missing, "\(store.location) has no checkpoint that can be read")
    }

    /// The output tables that the checkpoint or a later one knows: rows of all of them are rolled back.
    private func tables(since manifest: Manifest, in store: CheckpointStore) throws -> Set<String> {
        var tables = Set(manifest.tables.map(\.name))
        for checkpoint in try store.liveCheckpoints() where checkpoint.number > manifest.number {
            if let later = try checkpoint.manifest(unless: [.corrupt, .incompatible, .missing]) {
                tables.formUnion(later.tables.map(\.name))
            }
        }
        return tables
    }

    private func plan(
        _ manifest: Manifest, _ newest: Manifest, _ lineage: Lineage, _ tables: Set<String>, _ store: CheckpointStore
    ) -> Plan {
        var plan = Plan("rewind", output, change)
        plan.fact("store", .text(store.location))
        plan.fact("checkpoint", .count(manifest.number.number))
        plan.fact("epoch", .count(manifest.epoch.number))
        plan.fact("createdAt", .time(milliseconds: manifest.createdAt))
        plan.fact("lineage", .count(lineage.number))
        plan.step(
            "publish", "a new checkpoint",
            "epoch \(manifest.epoch) again, in lineage \(lineage); it fences every worker of lineage \(newest.lineage)")
        for table in tables.sorted() {
            let delivered = manifest.tables.first { $0.name == table }?.lastDelivered
            let last = delivered.map { "those after batch \($0) of lineage \(manifest.lineage)" } ?? "all of lineage \(manifest.lineage)"
            plan.step("delete rows of", table, "\(last), and all of later lineages, when the job starts next")
        }
        for task in manifest.tasks where task.next != nil {
            let now = newest.tasks.first { $0.id == task.id }?.next
            let skipped = now.flatMap { now in task.next.map { now - $0 } }
            plan.step(
                "read again", "\(task.id)",
                "from offset \(task.next ?? 0)" + (skipped.map { ", \($0) records before the newest checkpoint" } ?? ""))
        }
        if let target { plan.step("make", target, "the state directory to start with") }
        return plan
    }
}
