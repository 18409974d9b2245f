import Engine
import Glibc

/// A state file opened for inspection, kept as it is for as long as the value lives.
///
/// A worker's directory is held against workers meanwhile, and refused while one has it. A file whose last changes lie in
/// a log beside it, as a killed worker leaves it, is copied first: the log is never touched.
package final class HeldState {
    package let reader: StateReader
    private let directory: StateDirectory?

    /// - Parameters:
    ///   - path: a state directory, its state file, or a state file of its own such as a checkpoint's.
    ///   - name: what errors call it; nil for its path.
    ///   - makeScratch: makes an empty directory for a copy and returns its path; called when one is needed.
    package init(path: String, named name: String? = nil, makeScratch: () throws -> String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let kind: FailureKind = errno == ENOENT || errno == ENOTDIR ? .missing : .denied
            throw StateError(kind, "can't open \(path): \(String(cString: strerror(errno)))")
        }
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        let file = isDirectory ? path + "/state.db" : path
        let parent = file.parts(at: "/", omittingEmpty: false).dropLast().joined(separator: "/")
        directory = isDirectory || file.ends(with: "/state.db") ? try StateDirectory(holdingForReading: isDirectory ? path : parent) : nil
        guard access(file, F_OK) == 0 else { throw StateError(.missing, "there is no state file in \(path)") }
        guard HeldState.hasLog(file) else {
            reader = try StateReader(path: file, named: name)
            return
        }
        let copy = try makeScratch() + "/state.db"
        try HeldState.copy(file, to: copy)
        try HeldState.copy(file + "-wal", to: copy + "-wal")
        try Database(path: copy).checkpointLog()
        reader = try StateReader(path: copy, named: name ?? "the state file \(file)")
    }

    private static func hasLog(_ file: String) -> Bool {
        var status = stat()
        return stat(file + "-wal", &status) == 0 && status.st_size > 0
    }

    private static func copy(_ from: String, to: String) throws {
        let source = open(from, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw StateError(.denied, "can't read \(from): \(String(cString: strerror(errno)))") }
        defer { close(source) }
        let target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw StateError(.denied, "can't make \(to): \(String(cString: strerror(errno)))") }
        defer { close(target) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = read(source, buffer.baseAddress, buffer.count)
            if count == 0 { return }
            guard count > 0 else { throw StateError(.invalid, "reading \(from) failed: \(String(cString: strerror(errno)))") }
            var written = 0
            while written < count {
                let step = write(target, buffer.baseAddress! + written, count - written)
                guard step > 0 else {
                    throw StateError(
                        .retry,
                        "writing \(to) failed: \(String(cString: strerror(errno))); free some space, or set TMPDIR to where there is some")
                }
                written += step
            }
        }
    }
}
