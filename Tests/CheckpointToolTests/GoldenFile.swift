import Foundation

/// A command of the tool and what it has to write, in a file below `Expected/`:
/// ```
/// $ checkpoint get baskets anna --at state
/// …what goes to standard output, then what goes to standard error…
/// exit 0
/// ```
/// Hashes are written as `<sha256>`, since SQLite puts its own version into its files.
struct GoldenFile {
    let name: String
    let arguments: [String]

    static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Expected"

    var path: String { "\(GoldenFile.directory)/\(name).txt" }

    var command: String { "$ checkpoint " + arguments.map { $0.contains { " \"'*$".contains($0) } ? ($0.contains("'") ? "\"\($0)\"" : "'\($0)'") : $0 }.joined(separator: " ") }

    func text(of run: ToolRun) -> String { "\(command)\n\(GoldenFile.normalised(run.output + run.errors))exit \(run.status)\n" }

    static func normalised(_ text: String) -> String {
        text.replacing(/\b[0-9a-f]{64}\b/, with: "<sha256>").replacing(/tidemark-shop-[0-9A-F-]{36}/, with: "<directory>")
    }

    /// The expected text; with `TIDEMARK_WRITE_EXPECTED` set, what there is now becomes it, for a person to look at.
    func expected(or found: String) throws -> String {
        if ProcessInfo.processInfo.environment["TIDEMARK_WRITE_EXPECTED"] != nil {
            try FileManager.default.createDirectory(atPath: GoldenFile.directory, withIntermediateDirectories: true)
            try found.write(toFile: path, atomically: true, encoding: .utf8)
        }
        return try String(contentsOfFile: path, encoding: .utf8)
    }
}
