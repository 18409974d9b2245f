import Engine
import Foundation

/// A window over a file in which lines are found: whole lines only, without their newline.
///
/// It reads as large pieces as its buffer holds, and grows for a line that is longer, up to a limit.
struct LineScanner: ~Copyable {
    /// A longer line is an error.
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
        if self.file === file, origin == position, filled == buffer.count { try grow(file, position) }
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

    private mutating func grow(_ file: LogFile, _ position: Int64) throws {
        guard buffer.count < Self.maximumLineBytes else {
            throw SourceError(
                .invalid,
                "\(file.path): the line at byte \(position) is longer than \(Self.maximumLineBytes) bytes: it is no record; correct the file"
            )
        }
        buffer.deallocate()
        buffer = .allocate(byteCount: buffer.count * 4, alignment: 16)
    }

    private func view(_ start: UnsafeRawPointer, _ count: Int) -> ByteView {
        ByteView(start: start.assumingMemoryBound(to: UInt8.self), count: count)
    }
}
