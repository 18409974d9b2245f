import Foundation
import TestSupport

/// What this process writes to standard output goes to a file for as long as the value lives.
final class StandardOutput {
    private let file: Int32
    private let before: Int32

    init() throws {
        let directory = try TemporaryDirectory("tidemark-output")
        file = open(directory.file("output"), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_APPEND, 0o600)
        before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        guard file >= 0, before >= 0, fflush(nil) == 0, dup2(file, STDOUT_FILENO) >= 0 else {
            throw WaitedTooLong(description: "standard output can't be led to a file: \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        fflush(nil)
        dup2(before, STDOUT_FILENO)
        close(before)
        close(file)
    }

    /// Forgets what was written.
    func discard() {
        fflush(nil)
        ftruncate(file, 0)
    }

    /// What was written since this was asked last.
    func take() throws -> String {
        fflush(nil)
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = pread(file, &bytes, bytes.count, 0)
        guard count >= 0, count < bytes.count, ftruncate(file, 0) == 0 else {
            throw WaitedTooLong(description: "the output can't be read back: \(String(cString: strerror(errno)))")
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
