import Foundation

/// A command of the tool and what it has to write, in a file below `Expected/`, or another folder:
/// ```
/// $ checkpoint get baskets anna --at state
/// …what goes to standard output, then what goes to standard error…
/// exit 0
/// ```
/// Hashes are written as `<sha256>`, since SQLite puts its own version into its files, a test server's port as 8123 and a broker's as
/// 9092.
/// Sizes are as they once were; `comparable` takes them out.
struct GoldenFile {
    let name: String
    let arguments: [String]
    var folder = GoldenFile.directory

    static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Expected"

    var path: String { "\(folder)/\(name).txt" }

    var command: String {
        "$ checkpoint "
            + arguments.map { $0.contains { " \"'*$".contains($0) } ? ($0.contains("'") ? "\"\($0)\"" : "'\($0)'") : $0 }.joined(
                separator: " ")
    }

    func text(of run: ToolRun) -> String { GoldenFile.normalised("\(command)\n\(run.output)\(run.errors)exit \(run.status)\n") }

    static func normalised(_ text: String) -> String {
        text.replacing(/[0-9a-f]{64}/, with: "<sha256>").replacing(/127\.0\.0\.1:(?!9092\b)\d+/, with: "127.0.0.1:8123")
    }

    /// What has to be the same: files of state grow and shrink with SQLite's version and with the format, so their sizes don't
    /// count, nor how far a table's columns lie apart because of them.
    static func comparable(_ text: String) -> String {
        text.replacing(/\b\d+(\.\d)? (B|KiB|MiB)\b/, with: "<size>").replacing(/"(bytes|newBytes|freedBytes|unfoldedBytes)":\d+/) {
            "\"\($0.1)\":<size>"
        }
        .replacing(/\d+ bytes/, with: "<size> bytes").replacing(/[ ]{2,}/, with: " ")
    }

    /// The expected text; with `TIDEMARK_WRITE_EXPECTED` set, what there is now becomes it, for a person to look at.
    func expected(or found: String) throws -> String {
        if ProcessInfo.processInfo.environment["TIDEMARK_WRITE_EXPECTED"] != nil {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try found.write(toFile: path, atomically: true, encoding: .utf8)
        }
        return try String(contentsOfFile: path, encoding: .utf8)
    }
}
