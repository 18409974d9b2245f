import ArgumentParser
import CheckpointStores
import CommandLineParts
import Engine
import Foundation
import SQLiteState

/// `checkpoint copy`
struct CopyCommand: CheckpointVerb {
    static let configuration = verb(
        "copy", abstract: "Copies a checkpoint into another store, as the newest there.",
        discussion: "Every object is checked on its way. A job that uses the other store must not run meanwhile: the copy would fence it."
    )

    static let defaultReference: String? = nil

    @OptionGroup var words: CheckpointWords<CopyCommand>

    @Option(name: .customLong("to"), help: ArgumentHelp("The other store: a directory or s3://bucket/prefix.", valueName: "location"))
    var target: String

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func run() throws {
        let (store, manifest) = try source.stored(reference)
        let other = try CheckpointStore.open(location: target, job: store.job, environment: ProcessInfo.processInfo.environment)
        guard other.location != store.location else { throw ToolError(.invalid, "\(target) is the store that the checkpoint is in") }
        let fetched = try store.fetch(manifest, into: try Scratch.make())
        let files = zip(manifest.objects, [fetched.base] + fetched.deltas).map { NewObject(kind: $0.kind, file: $1, epoch: $0.epoch) }
        let draft = ManifestDraft(
            manifest.facts, after: try other.newestLink(), retaining: [], writer: ToolWriter.name, createdAt: manifest.createdAt,
            reason: .copy, minimumReader: manifest.minimumReader)
        let published = try other.publish(draft, files: files)
        let report = Report("copy", output)
        report.fact("checkpoint", .count(manifest.number.number))
        report.fact("from", .text(store.location))
        report.fact("to", .text(other.location))
        report.fact("copy", .count(published.number.number))
        report.fact("bytes", .bytes(published.bytes))
        report.finish()
    }
}
