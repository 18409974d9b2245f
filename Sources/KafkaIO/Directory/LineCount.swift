import Engine
import Foundation

/// Counts a file's lines in steps, each going on where the last one stopped.
struct LineCount {
    /// Lines that end before `position`.
    private(set) var lines: Int64 = 0
    private(set) var position: Int64 = 0

    /// How a count ended.
    enum Outcome: Equatable {
        /// The wanted number of lines lies before `position`.
        case reached
        /// The file has no further newline; `rest` bytes come after the last one.
        case end(rest: Int64)
        /// `isOver` said so.
        case stopped
    }

    /// Counts on until `limit` lines (nil: all) or the end of the file.
    mutating func advance(_ file: LogFile, upTo limit: Int64? = nil, buffer: UnsafeMutableRawBufferPointer, isOver: () -> Bool) throws
        -> Outcome
    {
        var unfinished: Int64 = 0  // bytes after the last newline found
        while true {
            if let limit, lines >= limit { return .reached }
            if isOver() { return .stopped }
            let count = try file.read(into: buffer, at: position + unfinished)
            if count == 0 { return .end(rest: unfinished) }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            let (found, consumed) = Self.newlines(in: piece, atMost: limit.map { $0 - lines })
            lines += found
            if found > 0 {
                position += unfinished + Int64(consumed)
                unfinished = Int64(count - consumed)
                if let limit, lines >= limit { return .reached }
            } else {
                unfinished += Int64(count)
            }
        }
    }

    /// The newlines in a piece, at most so many, and the bytes up to and with the last of them.
    private static func newlines(in piece: UnsafeRawBufferPointer, atMost limit: Int64?) -> (count: Int64, bytes: Int) {
        guard let base = piece.baseAddress else { return (0, 0) }
        var (count, end): (Int64, Int) = (0, 0)
        while count != limit, let newline = memchr(base + end, 0x0A, piece.count - end) {
            count += 1
            end = UnsafeRawPointer(newline) - base + 1
        }
        return (count, end)
    }
}
