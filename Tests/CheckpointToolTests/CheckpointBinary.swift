import Foundation
import TestSupport

/// The built `checkpoint`, beside the test bundle.
enum CheckpointBinary {
    static let directory: String =
        Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") }
        .map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
        ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path

    static var path: String { directory + "/checkpoint" }

    /// Runs the tool to its end in a directory.
    static func run(_ arguments: [String], in directory: String) throws -> ToolRun {
        let process = try ChildProcess(path, arguments, workingDirectory: directory)
        let status = process.waitForExit()
        return ToolRun(status: status, output: process.output, errors: process.errors)
    }
}

/// What a run of the tool left: its exit code (or minus the signal) and what it wrote.
struct ToolRun {
    let status: Int32
    let output: String
    let errors: String
}
