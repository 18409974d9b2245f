import CommandLineParts
import Engine
import Foundation

/// A file that appears under its name complete and synced, or not at all, and never in the place of another.
final class NewFile {
    let path: String
    /// Where it is written meanwhile, in a directory of its own beside its place.
    let temporaryPath: String

    init(_ path: String) throws {
        guard access(path, F_OK) != 0 else {
            throw ToolError(.invalid, "\(path) exists already; nothing is overwritten, so name another file or move that one away")
        }
        self.path = path
        let directory = NewFile.directory(of: path)
        guard access(directory, F_OK) == 0 else { throw ToolError(.missing, "there is no directory \(directory)") }
        temporaryPath = try Scratch.make(below: directory) + "/" + (path.parts(at: "/").last.map(String.init) ?? "file")
    }

    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(ofSign: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Syncs the file, puts it in its place and syncs the directory.
    func publish() throws {
        try NewFile.sync(temporaryPath)
        guard chmod(temporaryPath, 0o600) == 0 else {
            throw ToolError(.denied, "can't keep others from \(temporaryPath): \(String(cString: strerror(errno)))")
        }
        // link(2), unlike rename(2), fails where a file is already.
        guard link(temporaryPath, path) == 0 else {
            throw ToolError(.invalid, "can't put \(path) in its place: \(String(cString: strerror(errno)))")
        }
        try NewFile.sync(NewFile.directory(of: path))
    }

    static func sync(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ToolError(.invalid, "can't open \(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw ToolError(.retry, "can't sync \(path): \(String(cString: strerror(errno)))") }
    }
}
