import Engine
import Glibc

/// The calls on local files that stores need, with errors that say which file and what to do.
enum LocalFile {
    /// What is read or written at a time.
    static let pieceBytes = 1 << 20
    /// Written bytes are synced this often, so that one sync of a large file doesn't hold up every other one on the disk.
    static let syncEveryBytes = 16 << 20

    /// The size and hash of a file.
    static func digest(of path: String) throws(CheckpointError) -> ObjectDigest {
        let descriptor = try openForReading(path)
        defer { close(descriptor) }
        return try copy(from: descriptor, path, to: nil)
    }

    static func openForReading(_ path: String) throws(CheckpointError) -> Int32 {
        guard let descriptor = try openFile(path) else { throw failure("open", path) }
        return descriptor
    }

    /// Opens a file for reading, and nothing else that may have its name: a pipe would be waited for, a device read without end,
    /// and a link leads where somebody else wants. nil when there is nothing. Throws kind `corrupt` for what is no file.
    static func openFile(_ path: String) throws(CheckpointError) -> Int32? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            if errno == ELOOP || errno == ENXIO { throw isNoFile(path) }
            throw failure("open", path)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw isNoFile(path)
        }
        return descriptor
    }

    private static func isNoFile(_ path: String) -> CheckpointError {
        CheckpointError(
            .corrupt, "\(path) is damaged: it is a link, a directory, a pipe or a device, and objects are files; use another checkpoint")
    }

    static func isTooLong(_ place: String, _ limit: Int) -> CheckpointError {
        CheckpointError(.corrupt, "\(place) is damaged: it has more than the \(limit) bytes that it should have; use another checkpoint")
    }

    /// Whose a file is.
    enum Audience: mode_t {
        /// The user's alone, whatever the umask is: state, and what is fetched of it.
        case owner = 0o600
        /// An object of a store, which other users of the group may have to read; the umask may take that away.
        case group = 0o640
    }

    /// A file that was not there before.
    static func create(_ path: String, for audience: Audience = .owner) throws(CheckpointError) -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, audience.rawValue)
        guard descriptor >= 0 else { throw failure("create", path) }
        return descriptor
    }

    /// Reads to the end, hashing, and writes what it reads to `target`, synced, when there is one. Throws kind `corrupt` for more
    /// than `limit` bytes.
    static func copy(
        from source: Int32, _ sourcePath: String, to target: (descriptor: Int32, path: String)?, limit: Int = .max
    ) throws(CheckpointError) -> ObjectDigest {
        var hash = SHA256()
        var length = 0
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 4096)
        defer { piece.deallocate() }
        while true {
            let count = read(source, piece.baseAddress, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", sourcePath) }
            if count == 0 { break }
            guard count <= limit - length else { throw isTooLong(sourcePath, limit) }
            let bytes = UnsafeRawBufferPointer(rebasing: piece[..<count])
            hash.update(bytes)
            if let target { try write(bytes, to: target.descriptor, target.path, at: length) }
            length += count
        }
        if let target { try sync(target.descriptor, target.path) }
        return ObjectDigest(bytes: length, sha256: hash.finish())
    }

    /// Writes everything; `position` is how much was written before, and decides when to sync.
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String, at position: Int) throws(CheckpointError) {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            written += count
        }
        if position / syncEveryBytes != (position + bytes.count) / syncEveryBytes { try sync(descriptor, path) }
    }

    /// Puts a small file in the place of what is there, whole or not at all; durable when it returns.
    static func replace(_ path: String, with bytes: [UInt8]) throws(CheckpointError) {
        let unfinished = path + ".new"
        removeBestEffort(unfinished)
        let descriptor = try create(unfinished)
        do throws(CheckpointError) {
            defer { close(descriptor) }
            try bytes.withUnsafeBytes { bytes in
                Result { () throws(CheckpointError) in try write(bytes, to: descriptor, unfinished, at: 0) }
            }.get()
            try sync(descriptor, unfinished)
        } catch {
            removeBestEffort(unfinished)
            throw error
        }
        guard rename(unfinished, path) == 0 else { throw failure("rename", unfinished) }
        try syncFolder(path.holds("/") ? String(path[..<path.lastIndex(ofSign: "/")!]) : ".")
    }

    /// Takes everything out of a file that is open for writing.
    static func empty(_ descriptor: Int32, _ path: String) throws(CheckpointError) {
        guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else { throw failure("empty", path) }
    }

    static func sync(_ descriptor: Int32, _ path: String) throws(CheckpointError) {
        guard fsync(descriptor) == 0 else { throw failure("sync", path) }
    }

    static func syncFolder(_ path: String) throws(CheckpointError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        try sync(descriptor, path)
    }

    /// Creates a folder and those above it, each synced into the one above.
    static func makeFolder(_ path: String) throws(CheckpointError) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw CheckpointError(.invalid, "\(path) is a file; a directory has to be there")
            }
            return
        }
        guard errno == ENOENT else { throw failure("look at", path) }
        let parent = parent(of: path)
        try makeFolder(parent)
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw failure("create the directory", path) }
        try syncFolder(parent)
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(ofSign: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// For files that nobody misses, after an error that says more than a failing removal would.
    static func removeBestEffort(_ path: String) { unlink(path) }

    /// The error for what `errno` says.
    static func failure(_ verb: String, _ path: String) -> CheckpointError {
        let code = errno
        let reason = "can't \(verb) \(path): \(String(cString: strerror(code)))"
        switch code {
        case ENOSPC, EDQUOT, EFBIG:
            return CheckpointError(
                .retry, "\(reason); the disk is full: make room there", cause: FullDisk(path: path, reason: String(cString: strerror(code)))
            )
        case EACCES, EPERM, EROFS: return CheckpointError(.denied, "\(reason); check the owner and permissions there")
        case ENOENT: return CheckpointError(.missing, "\(reason); check the path")
        case EEXIST: return CheckpointError(.invalid, "\(reason); nothing is overwritten: name another place or remove it")
        case EIO, EMFILE, ENFILE, ENOMEM, ESTALE, ETIMEDOUT: return CheckpointError(.retry, "\(reason); it is tried again")
        default: return CheckpointError(.invalid, "\(reason); check the path")
        }
    }
}
