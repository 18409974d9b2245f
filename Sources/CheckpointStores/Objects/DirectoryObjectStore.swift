import Engine
import Glibc
import Synchronization

/// Objects as files below a directory, their keys as paths.
///
/// A file is written and synced under `.incoming/`, then linked (only if absent) or renamed into place, and the folder is
/// synced: no reader ever sees a part of one. What a crash leaves lies under `.incoming/` alone and is removed by a later
/// store's first `put`, when it is old enough to be nobody's. The directory must be one file system that has hard links.
package final class DirectoryObjectStore: ObjectStore {
    package let location: String
    private let hasSwept = Mutex(false)

    /// Files under `.incoming/` that were not written to for so long are leftovers: 24 hours.
    static let leftoverAgeSeconds = 24 * 3600

    /// The directory is created by the first `put`.
    package init(path: String) {
        location = path == "/" ? path : path.rest(before: "/").map(String.init) ?? path
    }

    private var incoming: String { "\(location)/.incoming" }
    func path(of key: ObjectKey) -> String { "\(location)/\(key.text)" }

    package func put(_ content: ObjectContent, at key: ObjectKey, onlyIfAbsent: Bool) throws(CheckpointError) -> PutOutcome {
        try LocalFile.makeFolder(incoming)
        try sweepOnce()
        let final = path(of: key)
        let folder = String(final[..<final.lastIndex(ofSign: "/")!])
        try LocalFile.makeFolder(folder)
        let temporary = "\(incoming)/\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
        let descriptor = try LocalFile.create(temporary, for: .group)
        defer { close(descriptor) }
        do throws(CheckpointError) {
            try write(content, to: descriptor, temporary)
            let outcome = try onlyIfAbsent ? link(descriptor, temporary, to: final) : rename(temporary, to: final)
            // Also when another's is there: it may not be synced yet, and the caller goes by it.
            try LocalFile.syncFolder(folder)
            return outcome
        } catch {
            LocalFile.removeBestEffort(temporary)
            throw error
        }
    }

    private func write(_ content: ObjectContent, to descriptor: Int32, _ path: String) throws(CheckpointError) {
        switch content {
        case .bytes(let bytes):
            try bytes.withUnsafeBytes { bytes in
                Result { () throws(CheckpointError) in try LocalFile.write(bytes, to: descriptor, path, at: 0) }
            }.get()
            try LocalFile.sync(descriptor, path)
        case .file(let source, let digest):
            let from = try LocalFile.openForReading(source)
            defer { close(from) }
            guard try LocalFile.copy(from: from, source, to: (descriptor, path)) == digest else {
                throw CheckpointError(.corrupt, "\(source) changed while it was copied into \(location); write it anew")
            }
        }
        // What is read back to verify comes from the disk then.
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    }

    private func rename(_ temporary: String, to final: String) throws(CheckpointError) -> PutOutcome {
        guard Glibc.rename(temporary, final) == 0 else { throw LocalFile.failure("write", final) }
        return .created
    }

    private func link(_ descriptor: Int32, _ temporary: String, to final: String) throws(CheckpointError) -> PutOutcome {
        let result = Glibc.link(temporary, final)
        let code = errno
        if result != 0 && code != EEXIST {
            if code == EOPNOTSUPP || code == EMLINK || code == EXDEV || (code == EPERM && access(location, W_OK) == 0) {
                throw CheckpointError(
                    .invalid,
                    "can't link \(final): \(String(cString: strerror(code))); put checkpoints on a file system that has hard links")
            }
            errno = code
            throw LocalFile.failure("link", final)
        }
        // On a network file system a lost answer makes a link that was made look refused: two names tell.
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw LocalFile.failure("look at", temporary) }
        let isOurs = result == 0 || status.st_nlink > 1
        guard unlink(temporary) == 0 else { throw LocalFile.failure("remove", temporary) }
        return isOurs ? .created : .exists
    }

    private func sweepOnce() throws(CheckpointError) {
        guard
            hasSwept.withLock({ has in
                defer { has = true }
                return !has
            })
        else { return }
        for name in try DirectoryListing.names(in: incoming) {
            var status = stat()
            let path = "\(incoming)/\(name)"
            guard stat(path, &status) == 0, time(nil) - status.st_mtim.tv_sec > DirectoryObjectStore.leftoverAgeSeconds else { continue }
            guard unlink(path) == 0 || errno == ENOENT else { throw LocalFile.failure("remove", path) }
        }
    }

    package func get(_ key: ObjectKey, limit: Int) throws(CheckpointError) -> [UInt8]? {
        guard let descriptor = try openObject(key) else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw LocalFile.failure("look at", path(of: key)) }
        guard status.st_size <= limit else {
            throw CheckpointError(
                .corrupt, "\(path(of: key)) is damaged: it has \(status.st_size) bytes, and at most \(limit) were written")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(status.st_size)
        var piece = [UInt8](repeating: 0, count: max(1, min(LocalFile.pieceBytes, status.st_size)))
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw LocalFile.failure("read", path(of: key)) }
            if count == 0 { return bytes }
            // It may grow while it is read.
            guard count <= limit - bytes.count else { throw LocalFile.isTooLong(path(of: key), limit) }
            bytes += piece[..<count]
        }
    }

    package func download(_ key: ObjectKey, into file: String?, limit: Int) throws(CheckpointError) -> ObjectDigest? {
        guard let descriptor = try openObject(key) else { return nil }
        defer { close(descriptor) }
        guard let file else { return try LocalFile.copy(from: descriptor, path(of: key), to: nil, limit: limit) }
        let target = try LocalFile.create(file)
        defer { close(target) }
        do throws(CheckpointError) {
            return try LocalFile.copy(from: descriptor, path(of: key), to: (target, file), limit: limit)
        } catch {
            LocalFile.removeBestEffort(file)
            throw error
        }
    }

    /// nil when there is no such object.
    private func openObject(_ key: ObjectKey) throws(CheckpointError) -> Int32? {
        try LocalFile.openFile(path(of: key))
    }

    package func list(prefix: String, after: ObjectKey?, limit: Int) throws(CheckpointError) -> [ListedObject] {
        try DirectoryListing(root: location).objects(prefix: prefix, after: after, limit: limit)
    }

    package func folders(limit: Int) throws(CheckpointError) -> [String] {
        var folders: [String] = []
        for name in try DirectoryListing.names(in: location).sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        where folders.count < limit {
            var status = stat()
            if stat("\(location)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFDIR { folders.append(name) }
        }
        return folders
    }

    package func delete(_ key: ObjectKey) throws(CheckpointError) {
        guard unlink(path(of: key)) == 0 || errno == ENOENT else { throw LocalFile.failure("remove", path(of: key)) }
    }
}
