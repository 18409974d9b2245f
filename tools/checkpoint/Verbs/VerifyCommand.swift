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
            let numbers = all ? try store.liveNumbers() : [try number(store)]
            var progress = ProgressBar("checkpoints", total: numbers.count)
            for (done, number) in numbers.enumerated() {
                let failure = try check("\(number)", report) {
                    guard case .manifest(let manifest)? = try store.manifest(number) else {
                        throw CheckpointError(.missing, "\(store.location) has no checkpoint \(number)")
                    }
                    try store.verify(manifest, deep: !quick)
                    try store.verifyChain(manifest)
                    return "\(manifest.objects.count) objects, \(manifest.bytes) bytes"
                }
                worst = worst ?? failure
                progress.show(done + 1)
            }
            progress.finish(numbers.count)
        }
        report.finish()
        if let worst { throw ExitCode(ExitStatus(worst).rawValue) }
    }

    private static let columns = ["checkpoint", "result", "detail"].map { ReportColumn($0) }

    /// The number alone, so that a damaged manifest is a result and not the end.
    private func number(_ store: CheckpointStore) throws -> ManifestNumber {
        switch try CheckpointReference(reference) {
        case .number(let number): return number
        case .latest(let back):
            let numbers = try store.liveNumbers()
            guard back < numbers.count else { throw ToolError(.missing, "\(store.location) has \(numbers.count) checkpoints") }
            return numbers[back]
        case let other: return try store.resolve(other).number
        }
    }

    /// Writes the row; what can't be looked at for other reasons than damage ends the verb.
    private func check(_ name: String, _ report: Report, _ body: () throws -> String) throws -> (any Failure)? {
        do {
            report.row([.text(name), .text("ok"), .text(try body())])
            return nil
        } catch let failure as any Failure where [.corrupt, .incompatible].contains(failure.kind) {
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
