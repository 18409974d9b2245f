import Dispatch
import Engine
import Foundation
import Synchronization

/// Temporary directories of this process, gone when it ends, however it is asked to.
package enum Scratch {
    private static let held = Mutex<[HeldDirectory]>([])
    private static let prefix = "tidemark-scratch."
    /// A directory that another process takes for a dead one's between being made and being held is made anew.
    private static let attempts = 10

    /// Makes an empty directory of mode 0700 below `TMPDIR`, or below `parent`. What processes that were killed left there is
    /// removed first: each holds its directories by a lock, which ends with it.
    package static func make(below parent: String? = nil) throws -> String {
        let base = parent ?? FileManager.default.temporaryDirectory.path
        // Under the lock, so that an interruption between the two statements leaves nothing.
        return try held.withLock { held in
            removeAbandoned(in: base)
            for _ in 0..<attempts {
                guard let made = try makeHeld(in: base) else { continue }
                held.append(made)
                return made.path
            }
            throw ScratchError(
                message: "can't keep a temporary directory in \(base): another process removes it each time; set TMPDIR to another place")
        }
    }

    /// nil when somebody removed the directory before it was held.
    private static func makeHeld(in base: String) throws -> HeldDirectory? {
        var template = Array("\(base)/\(prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ScratchError(
                message:
                    "can't make a temporary directory in \(base): \(String(cString: strerror(errno))); set TMPDIR to where there is room")
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0, access(path, F_OK) == 0 else {
            if descriptor >= 0 { close(descriptor) }
            return nil
        }
        return HeldDirectory(path: path, descriptor: descriptor)
    }

    /// One that nobody else removes: the lock on its descriptor ends with this process, however that does, or when it is removed.
    private struct HeldDirectory {
        let path: String
        let descriptor: Int32
    }

    /// Removes this user's directories that no process holds.
    private static func removeAbandoned(in base: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [] where name.utf8.starts(with: prefix.utf8) {
            let path = "\(base)/\(name)"
            let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(), flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { continue }
            do {
                try FileManager.default.removeItem(atPath: path)
            } catch {
                Console.writeToTerminal("can't remove the temporary directory \(path), which a process left: \(plainText(of: error))\n")
            }
        }
    }

    package static func removeAll() {
        held.withLock { held in
            for directory in held {
                defer { close(directory.descriptor) }
                // One that was filled and given its name is not there any more.
                guard FileManager.default.fileExists(atPath: directory.path) else { continue }
                do {
                    try FileManager.default.removeItem(atPath: directory.path)
                } catch {
                    Console.writeToTerminal("can't remove the temporary directory \(directory.path): \(plainText(of: error))\n")
                }
            }
            held = []
        }
    }

    /// For as long as what it returns is kept, SIGINT, SIGTERM and SIGHUP remove the directories and end the process.
    package static func removeWhenInterrupted() -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                removeAll()
                _exit(ExitStatus.stoppedBySecondSignal.rawValue)
            }
            source.resume()
            return source
        }
    }
}

/// A temporary directory can't be made.
package struct ScratchError: Failure {
    package let kind = FailureKind.denied
    package let message: String
    package let cause: (any Error)? = nil
}
