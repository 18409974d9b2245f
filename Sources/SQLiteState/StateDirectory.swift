import Engine
import Foundation

/// A worker's state directory, locked for as long as the value lives. Its layout:
/// ```
/// <directory>/lock         held by the one process that uses the directory
/// <directory>/state.db     the state file, with state.db-wal beside it
/// <directory>/references.db  the copy of the reference topics (`ReferenceFile`), of a job that has some
/// <directory>/exports/     checkpoints' files on their way to the store; emptied when the state file is opened
/// ```
package final class StateDirectory {
    package let path: String
    private let lock: Int32

    /// Creates the directory when it is missing and locks it. Throws kind `locked` when another process has it.
    package init(path: String) throws {
        try PrivateFiles.makeDirectory(path, orElse: "create its parent or set state.directory")
        let lockPath = path + "/lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StateError.system("open \(lockPath)", lockPath, "check the directory's owner and permissions")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw StateError(
                .locked,
                "the state directory \(path) is in use by another process; stop that worker first, or set state.directory to another one")
        }
        self.path = path
        lock = descriptor
        // Also what an earlier version of Tidemark, or a copy by hand, left for others to read.
        for name in ["lock", "state.db", "state.db-wal", "references.db", "references.db-wal", "writers"] {
            try PrivateFiles.tightenFile("\(path)/\(name)")
        }
    }

    /// Holds a directory that exists, as nobody's worker has it, without changing anything; nil when it has no lock file,
    /// so that no worker ever had it. Several may hold it so at once. Throws kind `locked` when a worker has it.
    package init?(holdingForReading path: String) throws {
        let descriptor = open(path + "/lock", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw StateError.system("open \(path)/lock", "\(path)/lock", "check the directory's owner and permissions")
        }
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else {
            close(descriptor)
            throw StateError(
                .locked, "the state directory \(path) is in use by a worker; stop it first, or look at its checkpoints instead")
        }
        self.path = path
        lock = descriptor
    }

    deinit { close(lock) }

    package var stateFile: String { path + "/state.db" }

    /// True when no epoch was ever committed here, so that a checkpoint may be restored in place of what there is. Throws kind
    /// `corrupt` when the state file can't be read, and must not be called while it is open.
    package func isWithoutEpochs() throws -> Bool {
        guard FileManager.default.fileExists(atPath: stateFile) else { return true }
        // Opening a large file for this alone would move its log into it, and what only declares tables is none.
        guard ["", "-wal"].allSatisfy({ size(of: stateFile + $0) <= StateDirectory.largestWithoutEpochs }) else { return false }
        let database = try Database(path: stateFile)
        guard try MetaTable.exists(in: database) else {
            return try database.integer("SELECT count(*) FROM sqlite_schema") == 0
        }
        try StateFormat.requireShape(of: database)
        return try MetaTable(database).value("epoch") == "0"
    }

    private static let largestWithoutEpochs = 8 << 20

    private func size(of file: String) -> Int { (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0 }

    /// The size of the state file's log, with whatever is unused in it.
    var logBytes: Int { size(of: stateFile + "-wal") }

    /// Removes the state file and its log; nobody may have them open.
    package func removeStateFile() throws { try Database.remove(stateFile) }

    /// Where files for a checkpoint are written before they are stored.
    package var exports: String { path + "/exports" }

    /// Makes the directory of exports, and removes what an earlier process left in it.
    func removeExports() throws {
        try PrivateFiles.makeDirectory(exports, orElse: "check the directory's owner and permissions")
        for name in try FileManager.default.contentsOfDirectory(atPath: exports) {
            let file = exports + "/" + name
            guard unlink(file) == 0 || errno == ENOENT else {
                throw StateError.system("remove \(file), which an interrupted checkpoint left", file, "remove it by hand")
            }
        }
    }
}
