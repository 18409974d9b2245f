import ArgumentParser
import CheckpointStores
import CommandLineParts
import Engine
import Foundation
import SQLiteState

/// `checkpoint recover`
struct RecoverCommand: CheckpointVerb {
    static let configuration = verb(
        "recover", abstract: "Reads what can be read of a damaged checkpoint into a new state file, and lists what is missing.",
        discussion: """
            For looking and exporting, when no checkpoint verifies: a job that went on from the file would take what is missing \
            for never seen. REF may be the path of a base. Ends with 3 when something is missing.
            """
    )

    static let defaultReference: String? = nil

    @OptionGroup var words: CheckpointWords<RecoverCommand>

    @Option(name: .customLong("to"), help: ArgumentHelp("A file that does not exist yet.", valueName: "file"))
    var target: String

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func run() throws {
        let objects: [(name: String, path: String?)] = try source.isPath(reference) ? [("base", reference)] : fetch()
        guard let base = objects.first?.path else {
            throw ToolError(.missing, "the base of checkpoint \(reference) is gone; there is nothing to read")
        }
        let file = try NewFile(target)
        var salvage = try StateSalvage(base: base, into: file.temporaryPath)
        var isFollowing = true
        var skipped: [String] = []
        for object in objects.dropFirst() {
            guard isFollowing, let path = object.path else {
                isFollowing = false
                skipped.append(object.name)
                continue
            }
            isFollowing = try salvage.apply(path, named: object.name)
        }
        let unreadable = try unreadableRecords(of: file.temporaryPath)
        try file.publish()
        let report = Report("recover", output)
        report.fact("checkpoint", .text(reference))
        report.fact("file", .text(target))
        report.fact("unreadableRecords", .count(unreadable))
        report.section("parts", ["part", "rows", "missing"].map { ReportColumn($0) })
        for part in salvage.parts { report.row([.text(part.name), .count(part.rows), part.missing.map { .text($0) } ?? .none]) }
        for name in skipped { report.row([.text(name), .count(0), .text("none of it was applied: it is gone, or what is before it is")]) }
        report.finish()
        let isWhole = unreadable == 0 && skipped.isEmpty && salvage.parts.allSatisfy { $0.missing == nil }
        if !isWhole { throw ExitCode(ExitStatus.partial.rawValue) }
    }

    /// What damage may have added to an object of twice its size.
    private static let surplus = 1 << 20

    /// The objects as they are, damaged or not; no path for one that is gone.
    private func fetch() throws -> [(name: String, path: String?)] {
        let (store, manifest) = try source.stored(reference)
        let scratch = try Scratch.make()
        return try manifest.objects.enumerated().map { index, object in
            let path = "\(scratch)/\(index).db"
            let found = try store.objects.download(
                try ObjectKey("\(store.job)/\(object.key)"), into: path, limit: 2 * object.digest.bytes + RecoverCommand.surplus)
            return (object.key, found == nil ? nil : path)
        }
    }

    /// Records that their table's schema does not fit.
    private func unreadableRecords(of file: String) throws -> Int {
        let reader = try StateReader(path: file)
        var count = 0
        for table in reader.tables {
            let scan = try reader.scan(table)
            while let row = try scan.next() {
                do {
                    _ = try row.values()
                } catch let error as StateError where error.kind == .corrupt {
                    count += 1
                }
            }
        }
        return count
    }
}
