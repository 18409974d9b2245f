import CommandLineParts
import Engine
import Foundation

/// A directory that appears under its name complete and synced, or not at all, and never in the place of one that holds
/// something.
final class NewDirectory {
    let path: String
    /// Where it is filled meanwhile.
    let temporaryPath: String

    init(_ path: String) throws {
        self.path = path == "/" ? path : path.rest(before: "/").map(String.init) ?? path
        if FileManager.default.fileExists(atPath: self.path) {
            guard try FileManager.default.contentsOfDirectory(atPath: self.path).isEmpty else {
                throw ToolError(
                    .invalid, "\(path) holds something already; nothing is overwritten, so name a directory that is empty or not there")
            }
        }
        let parent = NewFile.directory(of: self.path)
        guard access(parent, F_OK) == 0 else { throw ToolError(.missing, "there is no directory \(parent)") }
        temporaryPath = try Scratch.make(below: parent)
    }

    /// Syncs the directory with its files and gives it its name.
    func publish() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: temporaryPath) { try NewFile.sync("\(temporaryPath)/\(name)") }
        try NewFile.sync(temporaryPath)
        guard chmod(temporaryPath, 0o700) == 0, rename(temporaryPath, path) == 0 else {
            throw ToolError(.invalid, "can't put \(path) in its place: \(String(cString: strerror(errno)))")
        }
        try NewFile.sync(NewFile.directory(of: path))
    }
}
