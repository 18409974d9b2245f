import Foundation

/// A whole checkpoint store that an earlier build wrote, with what it must be read as: a directory of
/// `Tests/Golden/Checkpoints/<formats>/<job>`. See the page there.
package struct GoldenStore: Sendable, CustomStringConvertible {
    /// The versions of the formats that the store is written in.
    package struct Formats: Hashable, Sendable, CustomStringConvertible {
        package let manifest: Int
        package let delta: Int
        package let state: Int

        package init(manifest: Int, delta: Int, state: Int) {
            self.manifest = manifest
            self.delta = delta
            self.state = state
        }

        /// nil unless it is written as `description` is.
        init?(_ text: String) {
            let numbers = text.split(separator: ".").compactMap { Int($0.drop { !$0.isNumber }) }
            guard numbers.count == 3 else { return nil }
            self.init(manifest: numbers[0], delta: numbers[1], state: numbers[2])
            guard description == text else { return nil }
        }

        package var description: String { "manifest-\(manifest).delta-\(delta).state-\(state)" }
    }

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(
        path: "Golden"
    ).path
    private static let folder = "\(root)/Checkpoints"

    package let formats: Formats
    package let job: String

    package var description: String { "\(formats)/\(job)" }
    package var path: String { "\(GoldenStore.folder)/\(description)" }

    /// All that there are; a directory whose name is none of a store's is an error, so that none is left out unseen.
    package static func all() throws -> [GoldenStore] {
        let folders = try FileManager.default.contentsOfDirectory(atPath: folder).sorted().filter { $0 != "README.md" }
        return try folders.flatMap { name in
            guard let formats = Formats(name) else {
                throw GoldenError(description: "\(folder)/\(name) is no golden store: its name does not say its formats")
            }
            return try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(name)").sorted().map {
                GoldenStore(formats: formats, job: $0)
            }
        }
    }

    /// The formats of state files that there are golden files of, such as 1; see `Golden/State`.
    package static func stateFileFormats() throws -> [Int] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/State").compactMap {
            $0.hasPrefix("format-") ? Int($0.dropFirst(7)) : nil
        }.sorted()
    }

    /// The golden state file of a format.
    package static func stateFile(format: Int) -> String { "\(root)/State/format-\(format)/state.db" }

    /// Copies the store to `store` in a directory.
    package func copy(into directory: TemporaryDirectory) throws {
        try FileManager.default.copyItem(atPath: "\(path)/store", toPath: directory.file("store"))
    }

    /// Every file below the golden directory, by its path there.
    package func files() throws -> [String: Data] {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: path).filter { !GoldenStore.isFolder("\(path)/\($0)") }
        return try Dictionary(uniqueKeysWithValues: paths.map { ($0, try Data(contentsOf: URL(fileURLWithPath: "\(path)/\($0)"))) })
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// A file of lines beside the store.
    package func lines(_ name: String) throws -> [String] {
        try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8).split(separator: "\n").map(String.init)
    }

    /// How many records the job had read at each checkpoint that is still there, by the checkpoints' numbers in rising order.
    package func reads() throws -> [(checkpoint: UInt64, records: Int)] {
        try lines("read.txt").map { line in
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            guard numbers.count == 2 else { throw GoldenError(description: "\(path)/read.txt: \(line) is no checkpoint and a count") }
            return (UInt64(numbers[0]), numbers[1])
        }
    }
}
