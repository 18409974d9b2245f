import Engine
import Foundation

/// A window over a file in which lines are found: whole lines only, without their newline.
///
/// It reads as large pieces as its buffer holds, and grows for a line that is longer, up to a limit: of a line beyond that it gives the
/// beginning.
struct LineScanner: ~Copyable {
    /// Of a longer line only so much is looked at.
    static let maximumLineBytes = 64 << 20
    static let initialBufferBytes = 1 << 20

    private var buffer: UnsafeMutableRawBufferPointer
    /// Where in the file the buffer begins, and of which file it is.
    private var origin: Int64 = 0
    private var filled = 0
    private var file: LogFile?

    init(bufferBytes: Int = LineScanner.initialBufferBytes) {
        buffer = .allocate(byteCount: bufferBytes, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// What `next` found at a position.
    enum Found {
        case line(ByteView, after: Int64)
        /// Bytes without a newline up to the end of the file: the last line, or one that is still being written.
        case unterminated(ByteView, after: Int64)
        case end
    }

    /// The line that begins at `position` of `file`; its bytes are valid until the next call.
    mutating func next(in file: LogFile, at position: Int64) throws -> Found {
        if let (line, after) = buffered(file, at: position) { return .line(line, after: after) }
        var isWholeRest = false
        while !isWholeRest {
            guard !isFull(file, position) else {
                guard let after = try endOfLine(file, from: position + Int64(filled)) else { break }
                return .line(view(buffer.baseAddress.unsafelyUnwrapped, filled), after: after)
            }
            isWholeRest = try load(file, at: position)
            if let (line, after) = buffered(file, at: position) { return .line(line, after: after) }
        }
        guard filled > 0, let base = buffer.baseAddress else { return .end }
        return .unterminated(view(base, filled), after: position + Int64(filled))
    }

    /// The line at `position` if all of it is in the buffer; never reads, so that lines found before stay valid.
    func buffered(_ file: LogFile, at position: Int64) -> (line: ByteView, after: Int64)? {
        guard self.file === file, position >= origin, position - origin < filled else { return nil }
        let start = Int(position - origin)
        let base = UnsafeRawPointer(buffer.baseAddress.unsafelyUnwrapped) + start
        guard let newline = memchr(base, 0x0A, filled - start) else { return nil }
        let length = UnsafeRawPointer(newline) - base
        return (view(base, length), position + Int64(length) + 1)
    }

    /// Reads anew from `position`, into a larger buffer when the old one began there too and held no newline.
    /// True when the file has no more than what is in the buffer now.
    private mutating func load(_ file: LogFile, at position: Int64) throws -> Bool {
        if self.file === file, origin == position, filled == buffer.count { grow() }
        self.file = file
        origin = position
        filled = 0
        while filled < buffer.count {
            let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]), at: position + Int64(filled))
            if count == 0 { return true }
            filled += count
        }
        return false
    }

    private mutating func grow() {
        let larger = min(buffer.count * 4, Self.maximumLineBytes)
        buffer.deallocate()
        buffer = .allocate(byteCount: larger, alignment: 16)
    }

    /// The buffer holds the beginning of the line at `position` and may not grow.
    private func isFull(_ file: LogFile, _ position: Int64) -> Bool {
        self.file === file && origin == position && filled == buffer.count && filled >= Self.maximumLineBytes
    }

    /// The byte after the next newline; nil when there is none yet.
    private func endOfLine(_ file: LogFile, from start: Int64) throws -> Int64? {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.initialBufferBytes, alignment: 16)
        defer { piece.deallocate() }
        var position = start
        while true {
            let count = try file.read(into: piece, at: position)
            guard count > 0, let base = piece.baseAddress else { return nil }
            if let newline = memchr(base, 0x0A, count) { return position + Int64(UnsafeRawPointer(newline) - UnsafeRawPointer(base)) + 1 }
            position += Int64(count)
        }
    }

    /// A file's first line, the one at byte 0, may begin with a mark that is not of the line.
    static func withoutByteOrderMark(_ line: ByteView, at position: Int64) -> ByteView {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        return position == 0 && line.count >= mark.count && (0..<mark.count).allSatisfy { line[$0] == mark[$0] }
            ? line.dropFirst(mark.count) : line
    }

    private func view(_ start: UnsafeRawPointer, _ count: Int) -> ByteView {
        ByteView(start: start.assumingMemoryBound(to: UInt8.self), count: count)
    }
}
