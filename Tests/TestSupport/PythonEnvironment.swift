import Foundation

/// A virtual environment with Python packages that tools/setup installed for the tests.
struct PythonEnvironment {
    let python: String

    /// - Parameter name: its folder's name in the cache.
    /// - Parameter variable: names another place.
    /// - Parameter package: what it holds, for the error when it isn't there.
    init(_ name: String, variable: String, package: String) throws {
        let variables = ProcessInfo.processInfo.environment
        let cache = variables["XDG_CACHE_HOME"] ?? (variables["HOME"] ?? NSHomeDirectory()) + "/.cache"
        python = (variables[variable] ?? "\(cache)/tidemark/\(name)") + "/bin/python"
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw ChildProcessError(
                description:
                    "\(python) is not there: tools/setup installs \(package) (or set \(variable) to a virtual environment that has it)")
        }
    }

    /// Starts a script that lies beside this file.
    func start(_ script: String, _ arguments: [String], workingDirectory: String? = nil) throws -> ChildProcess {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(script).path
        return try ChildProcess(python, [path] + arguments, workingDirectory: workingDirectory)
    }
}
