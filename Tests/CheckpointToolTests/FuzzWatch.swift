import Foundation
import TestSupport

/// Says in a file what is about to run, so that a process that ends in the middle of it leaves word of what it was; and ends the process when
/// that never ends. Without a file it does neither: a test process has others' tests in it.
final class FuzzWatch {
    /// For one verb, by the clock.
    private static let longest: UInt32 = 120
    private static let lineLength = 240
    private let file: Int32?

    init(file path: String?) throws {
        guard let path else {
            file = nil
            return
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw WaitedTooLong(description: "\(path) can't be written: \(String(cString: strerror(errno)))") }
        file = descriptor
    }

    deinit {
        if let file { close(file) }
    }

    /// The number, a space and what it is, in place of what stood there.
    func begins(_ number: Int, _ what: String) {
        guard file != nil else { return }
        write("\(number) \(what)")
        alarm(FuzzWatch.longest)
    }

    /// All ended.
    func ends() {
        guard file != nil else { return }
        alarm(0)
        write("all")
    }

    private func write(_ text: String) {
        let line =
            (Array(text.utf8) + [UInt8](repeating: UInt8(ascii: " "), count: FuzzWatch.lineLength)).prefix(FuzzWatch.lineLength - 1) + [
                UInt8(ascii: "\n")
            ]
        guard let file, pwrite(file, Array(line), line.count, 0) == line.count else {
            fatalError("what runs can't be written down: \(String(cString: strerror(errno)))")
        }
    }
}
