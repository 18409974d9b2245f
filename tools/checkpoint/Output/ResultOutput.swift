import CommandLineParts
import Foundation

/// Standard output, or a file, in blocks. When nobody reads it any more (`checkpoint scan … | head`), the process ends, as such
/// tools do.
final class ResultOutput {
    private static let blockSize = 1 << 16
    private let descriptor: Int32
    private var block: [UInt8] = []

    init(descriptor: Int32 = STDOUT_FILENO) { self.descriptor = descriptor }

    func write(_ text: String) {
        block.append(contentsOf: text.utf8)
        if block.count >= ResultOutput.blockSize { flush() }
    }

    func flush() {
        var rest = block[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR && errno != EAGAIN {
                let isUnread = errno == EPIPE
                if !isUnread { Console.writeError(ToolError(.invalid, "the result can't be written: \(String(cString: strerror(errno)))")) }
                Scratch.removeAll()
                exit(isUnread ? ExitStatus.done.rawValue : ExitStatus.error.rawValue)
            }
        }
        block.removeAll(keepingCapacity: true)
    }
}
