import Engine
import Foundation

/// One partition's file, open for reading; closed with the last reference.
///
/// The descriptor stays on the file that was opened: that another one took its place is an error, as is a file that
/// became shorter.
final class LogFile: Sendable {
    let path: String
    private let descriptor: Int32
    private let identity: FileIdentity

    /// Opens a file, and nothing else that may have its name: a pipe would be waited for, and a link leads where somebody else wants.
    init(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            if errno == ELOOP || errno == ENXIO { throw Self.isNoFile(path) }
            throw SourceError(
                errno == ENOENT ? .missing : errno == EACCES ? .denied : .invalid,
                "\(path) can't be opened: \(Self.reason()); see to its rights and to the disk")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw Self.isNoFile(path)
        }
        posix_fadvise(descriptor, 0, 0, Int32(POSIX_FADV_SEQUENTIAL))
        self.path = path
        self.descriptor = descriptor
        identity = FileIdentity(status)
    }

    private static func isNoFile(_ path: String) -> SourceError {
        SourceError(
            .invalid,
            "\(path) is a link, a directory, a pipe or a device: a topic's partition is a regular file, so put one there, or a hard link")
    }

    deinit { close(descriptor) }

    /// Fills as much of `buffer` as the file has from `position` on; the number of bytes, 0 at its end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws -> Int {
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(position))
            if count >= 0 { return count }
            guard errno == EINTR else {
                throw SourceError(.invalid, "\(path) can't be read at byte \(position): \(Self.reason()); see to the disk")
            }
        }
    }

    /// Bytes in the file now. Throws when it is not the file that was opened any more, or has lost bytes that were read.
    func size(readUpTo position: Int64) throws -> Int64 {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            throw SourceError(.missing, "\(path) is gone (\(Self.reason())): put it back and start again; the state keeps its position")
        }
        guard FileIdentity(status) == identity else {
            throw SourceError(
                .invalid,
                "\(path) was replaced by another file while it was read: only append to it, or start with an empty state directory")
        }
        let size = Int64(status.st_size)
        guard size >= position else {
            throw SourceError(
                .invalid,
                "\(path) was cut to \(size) bytes after \(position) had been read: only append to it, or start with an empty state directory"
            )
        }
        return size
    }

    private static func reason() -> String { String(cString: strerror(errno)) }
}

private struct FileIdentity: Hashable {
    let device: UInt
    let inode: UInt

    init(_ status: stat) {
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
    }
}
