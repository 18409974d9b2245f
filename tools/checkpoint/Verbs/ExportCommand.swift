import ArgumentParser
import CommandLineParts
import Engine
import Foundation
import SQLiteState

/// `checkpoint export`
struct ExportCommand: CheckpointVerb {
    static let configuration = verb(
        "export", abstract: "Writes all records of a table as JSON lines, CSV or an SQLite file, its columns typed.",
        discussion:
            "Goes to standard output, or to a new file with --to; an SQLite file needs --to. The file's ending (.jsonl, .csv, .db, .sqlite) says the format, or --format does."
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case jsonl
        case csv
        case sqlite

        /// What a file's name says; nil when it says nothing.
        init?(fileName: String) {
            let endings: [(String, Format)] = [(".jsonl", .jsonl), (".csv", .csv), (".db", .sqlite), (".sqlite", .sqlite)]
            guard let found = endings.first(where: { fileName.rest(before: $0.0) != nil }) else { return nil }
            self = found.1
        }
    }

    static let operands = [VerbOperand.table]

    @OptionGroup var words: CheckpointWords<ExportCommand>

    @Option(name: .customLong("format"), help: "The format of what is written; without --to it is jsonl.")
    var chosen: Format?

    @Option(name: .customLong("to"), help: ArgumentHelp("A file that does not exist yet.", valueName: "file"))
    var target: String?

    @OptionGroup var source: CheckpointSource

    func validate() throws {
        if chosen == .sqlite && target == nil { throw ValidationError("--format sqlite needs --to FILE") }
        guard let target else { return }
        let named = Format(fileName: target)
        if chosen == nil && named == nil {
            throw ValidationError(
                "--to: \(target) does not say its format: end its name with .jsonl, .csv, .db or .sqlite, or add --format jsonl, csv or sqlite"
            )
        }
        if let chosen, let named, chosen != named {
            throw ValidationError(
                "--to: \(target) is the name of a \(named.rawValue) file, and --format says \(chosen.rawValue): change one of them")
        }
    }

    private var format: Format { chosen ?? target.flatMap { Format(fileName: $0) } ?? .jsonl }

    func run() throws {
        let checkpoint = try source.open(reference)
        let table = try checkpoint.reader.table(named: operand(0))
        guard let target else { return try write(table, checkpoint.reader, to: STDOUT_FILENO) }
        let file = try NewFile(target)
        if format == .sqlite {
            try StateExport(path: file.temporaryPath).add(table, of: checkpoint.reader)
        } else {
            let descriptor = open(file.temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw ToolError(.denied, "can't make \(file.temporaryPath): \(String(cString: strerror(errno)))") }
            defer { close(descriptor) }
            try write(table, checkpoint.reader, to: descriptor)
        }
        try file.publish()
    }

    private func write(_ table: StoredTable, _ reader: StateReader, to descriptor: Int32) throws {
        let output = ResultOutput(descriptor: descriptor)
        let rows = RecordRows(table: table)
        if format == .csv { output.write(ExportCommand.csv(table.columns.map { .text($0.name) })) }
        let section = ReportSection("records", rows.columns, format: .jsonl, isNamed: false, isVertical: false)
        let scan = try reader.scan(table)
        while let row = try scan.next() {
            let cells = try rows.cells(row)
            if format == .csv { output.write(ExportCommand.csv(cells)) } else { section.row(cells, to: output) }
        }
        output.flush()
    }

    /// A line as RFC 4180 has it.
    private static func csv(_ cells: [Cell]) -> String {
        cells.map { cell in
            let text: String =
                switch cell {
                case .text(let text): text
                case .time(let time): time.text
                case .flag, .bytes: cell.json
                case .none, .number, .real, .json: cell.text
                }
            let needsQuotes = text.utf8.contains { ",\"\r\n".utf8.contains($0) }
            return needsQuotes ? text.quoted(with: "\"") : text
        }.joined(separator: ",") + "\r\n"
    }
}
