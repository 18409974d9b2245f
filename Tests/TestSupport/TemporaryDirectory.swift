import Foundation

/// A directory of a test's own, gone with the last reference to it.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init(_ name: String = "tidemark-test") throws {
        let unique = FileManager.default.temporaryDirectory.appendingPathComponent("\(name)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: unique, withIntermediateDirectories: true)
        path = unique.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of something in the directory.
    public func file(_ name: String) -> String { path + "/" + name }
}
