import Configuration
import Engine
import Foundation
import Synchronization

/// Standard output for results, standard error for everything else. Secrets are taken out of what errors say.
package enum Console {
    private static let redactor = Mutex(Redactor.none)

    /// From now on these secrets are hidden.
    package static func hide(with redactor: Redactor) { self.redactor.withLock { $0 = redactor } }

    package static func redact(_ text: String) -> String { redactor.withLock { $0 }.redact(text) }

    package static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// A line of a result, there at once even when standard output is a pipe.
    package static func writeResult(_ line: String) { write(line.printableLines + "\n", to: STDOUT_FILENO) }

    package static func writeError(_ failure: any Failure) {
        write("Error: " + redact(plainText(of: failure)).printableLines + "\n", to: STDERR_FILENO)
    }

    /// What somebody should know and need not see to now.
    package static func writeNote(_ text: String) { write("Note: " + redact(text).printableLines + "\n", to: STDERR_FILENO) }

    /// Whether the terminal's last line is a progress bar that goes on.
    private static let barStands = Mutex(false)

    /// Text that somebody watches: a progress bar, at whose end comes a line break.
    package static func writeToTerminal(_ text: String) {
        barStands.withLock { stands in
            write(text, to: STDERR_FILENO)
            stands = !text.ends(with: "\n")
        }
    }

    /// A line of the log; a progress bar makes room for it.
    package static func writeLog(_ line: String) {
        barStands.withLock { stands in
            write((stands ? "\r\u{1B}[K" : "") + line + "\n", to: STDERR_FILENO)
            stands = false
        }
    }

    /// Whole lines, each in one call where the system takes it, so that lines of several threads don't mix.
    package static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR && errno != EAGAIN {
                return  // Nobody reads there any more, and there is no other place to say so.
            }
        }
    }
}
