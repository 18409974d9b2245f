import Foundation

/// A directory of a test's own, gone with the last reference to it.
package final class TemporaryDirectory: Sendable {
    package let path: String

    /// `inMemory`: on a file system in memory where the system has one, for tests that make many files and are not about disks.
    package init(_ name: String = "tidemark-test", inMemory: Bool = false) throws {
        let memory = "/dev/shm"
        let isInMemory = inMemory && FileManager.default.isWritableFile(atPath: memory)
        let base = isInMemory ? URL(fileURLWithPath: memory) : FileManager.default.temporaryDirectory
        let unique = base.appendingPathComponent("\(name)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: unique, withIntermediateDirectories: true)
        path = unique.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of something in the directory.
    package func file(_ name: String) -> String { path + "/" + name }
}
