import ArgumentParser
import CheckpointStores
import CommandLineParts
import Engine
import SQLiteState

/// `checkpoint verify`
struct VerifyCommand: CheckpointVerb {
    static let configuration = verb(
        "verify", abstract: "Checks that checkpoints are whole.",
        discussion: """
            Of a checkpoint in a store: that it follows on the one before, and that every object has the bytes it was written with \
            (their number alone with --quick). Of a state file: that SQLite finds it in order and every record fits its schema. \
            Ends with 4 when something is damaged, naming it.
            """
    )

    @OptionGroup var words: CheckpointWords<VerifyCommand>

    @Flag(help: "Check every checkpoint of the store.")
    var all = false

    @Flag(help: "Check sizes instead of contents.")
    var quick = false

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if all && words.named != nil { throw ValidationError("expected a checkpoint, or --all, not both") }
    }

    func run() throws {
        let report = Report("verify", output)
        var worst: (any Failure)?
        if !all, source.isPath(reference) {
            report.section("checkpoints", VerifyCommand.columns)
            worst = try check(reference, report) { try verifyState(reference) }
        } else {
            let store = try source.store()
            report.fact("store", .text(store.location))
            report.section("checkpoints", VerifyCommand.columns)
            if all { try store.requireCheckpoints() }
            let checkpoints = try all ? store.liveCheckpoints() : [named(in: store)]
            var progress = ProgressBar("checkpoints", total: checkpoints.count)
            for (done, checkpoint) in checkpoints.enumerated() {
                let failure = try check("\(checkpoint.number)", report) {
                    let manifest = try checkpoint.manifest.get()
                    try store.verify(manifest, deep: !quick)
                    try store.verifyChain(manifest)
                    return "\(manifest.objects.count) objects, \(manifest.bytes) bytes"
                }
                worst = worst ?? failure
                progress.show(done + 1)
            }
            progress.finish(checkpoints.count)
        }
        report.finish()
        if let worst { throw ExitCode(ExitStatus(damage: worst).rawValue) }
    }

    /// Damage of the one that was named is a result and not the end; that it is not there is.
    private func named(in store: CheckpointStore) throws -> LiveCheckpoint {
        let number = try store.number(of: CheckpointReference(reference))
        do throws(CheckpointError) {
            return LiveCheckpoint(number: number, manifest: .success(try store.resolve(.number(number))))
        } catch {
            guard error.kind != .missing else { throw error }
            return LiveCheckpoint(number: number, manifest: .failure(error))
        }
    }

    private static let columns = ["checkpoint", "result", "detail"].map { ReportColumn($0) }

    /// Writes the row; what can't be looked at for other reasons than damage ends the verb.
    private func check(_ name: String, _ report: Report, _ body: () throws -> String) throws -> (any Failure)? {
        do {
            report.row([.text(name), .text("ok"), .text(try body())])
            return nil
        } catch let failure as any Failure where [.corrupt, .incompatible, .missing].contains(failure.kind) {
            report.row([.text(name), .text(failure.kind.rawValue), .text(plainText(of: failure))])
            return failure
        }
    }

    private func verifyState(_ path: String) throws -> String {
        let state = try HeldState(path: path) { try Scratch.make() }
        if !quick { try state.reader.checkFile() }
        var records = 0
        for table in state.reader.tables {
            let scan = try state.reader.scan(table)
            while let row = try scan.next() {
                if !quick { _ = try row.values() }
                records += 1
            }
        }
        return "\(records) records"
    }
}
