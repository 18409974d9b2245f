import Dispatch
import Engine
import Foundation
import Synchronization

/// Temporary directories of this process, gone when it ends, however it is asked to.
public enum Scratch {
    private static let paths = Mutex<[String]>([])

    /// Makes an empty directory below `TMPDIR`, or below `parent`.
    public static func make(below parent: String? = nil) throws -> String {
        let base = parent ?? FileManager.default.temporaryDirectory.path
        var template = Array("\(base)/tidemark-checkpoint.XXXXXX".utf8CString)
        // Under the lock, so that an interruption between the two statements leaves nothing.
        return try paths.withLock { paths in
            guard mkdtemp(&template) != nil else {
                throw ScratchError(message: "can't make a temporary directory in \(base): \(String(cString: strerror(errno))); set TMPDIR to where there is room")
            }
            let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            paths.append(path)
            return path
        }
    }

    public static func removeAll() {
        paths.withLock { paths in
            // One that was filled and given its name is not there any more.
            for path in paths where FileManager.default.fileExists(atPath: path) {
                do {
                    try FileManager.default.removeItem(atPath: path)
                } catch {
                    Console.writeToTerminal("can't remove the temporary directory \(path): \(plainText(of: error))\n")
                }
            }
            paths = []
        }
    }

    /// For as long as what it returns is kept, SIGINT, SIGTERM and SIGHUP remove the directories and end the process.
    public static func removeWhenInterrupted() -> [any DispatchSourceSignal] {
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
public struct ScratchError: Failure {
    public let kind = FailureKind.denied
    public let message: String
    public let cause: (any Error)? = nil
}
