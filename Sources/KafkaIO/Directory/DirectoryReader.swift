import Engine
import Foundation

/// Reads the lines of some files; one buffer for all of them, nothing allocated per record. For one thread.
final class DirectoryReader: RecordReader {
    /// Where a partition begins to be read.
    struct Start {
        let partition: TopicPartition
        let file: LogFile
        let line: Int64
        let byte: Int64
        /// The line before was read without its newline, by a version that did so: that, when it comes, is no empty line of its own.
        var followsUnterminated = false
    }

    /// What to do about a line of which an earlier version has read only the beginning.
    static let grownLineCure =
        "go back to a checkpoint from before that (`checkpoint rewind`), or start with an empty state directory; this version reads whole lines alone"
    /// How often the files are looked at while all were read to their end.
    private static let growthInterval: UInt32 = 10_000  // microseconds

    private struct Place {
        let partition: TopicPartition
        let file: LogFile
        var line: Int64
        var byte: Int64
        var followsUnterminated: Bool
        /// The end was reached, and told, at this size of the file; nil while there is more to read.
        var endedAt: Int64?
        /// Since when the last line lacks its newline; nil while it doesn't, and once that was told.
        var partialSince: ContinuousClock.Instant?
        var isPartialTold = false
    }

    private let partialLineLimit: Duration
    private let tell: (String) -> Void
    private var places: [Place]
    private var current = 0
    private var scanner = LineScanner()
    private var records: UnsafeMutableBufferPointer<SourceRecord> = .allocate(capacity: 0)

    init(_ starts: [Start], partialLineLimit: Duration, tell: @escaping (String) -> Void) {
        self.partialLineLimit = partialLineLimit
        self.tell = tell
        places = starts.map {
            Place(
                partition: $0.partition, file: $0.file, line: $0.line, byte: $0.byte, followsUnterminated: $0.followsUnterminated,
                endedAt: nil)
        }
    }

    deinit { records.deallocate() }

    func poll(maximumRecords: Int, timeout: Duration, _ handle: (SourceEvent) -> Void) throws {
        let wanted = max(1, maximumRecords)
        reserve(wanted)
        let deadline = Deadline(timeout)
        repeat {
            for _ in places.indices {
                let index = current
                let found = try read(&places[index], wanted, handle)
                // The next partition's turn comes when what was read in one go is used up.
                if !found || scanner.buffered(places[index].file, at: places[index].byte) == nil { current = (index + 1) % places.count }
                if found { return }
            }
            if deadline.isOver { return }
            usleep(min(Self.growthInterval, UInt32(max(1, deadline.milliseconds)) * 1000))
        } while true
    }

    /// Hands over what is there of one partition; false when there is nothing new.
    private func read(_ place: inout Place, _ wanted: Int, _ handle: (SourceEvent) -> Void) throws -> Bool {
        if let ended = place.endedAt {
            guard try place.file.size(readUpTo: place.byte) != ended else {
                tellPartial(&place)
                return false
            }
            (place.endedAt, place.partialSince) = (nil, nil)
        }
        if place.followsUnterminated { try skipNewline(&place) }
        var count = 0
        switch try scanner.next(in: place.file, at: place.byte) {
        case .line(let line, let after):
            append(line, &place, after, &count)
            // Only what lies in the buffer: filling it again would take the lines' bytes away.
            while count < wanted, let (line, after) = scanner.buffered(place.file, at: place.byte) {
                append(line, &place, after, &count)
            }
        case .unterminated(_, let after):
            try reachedEnd(&place, at: after, handle)
            if !place.isPartialTold { place.partialSince = .now }
            tellPartial(&place)
            return true
        case .end:
            try reachedEnd(&place, at: place.byte, handle)
            return true
        }
        handle(.records(place.partition, UnsafeBufferPointer(rebasing: records[..<count])))
        return true
    }

    /// Who writes a line is soon done with it; one that stays without its end was cut off, or its writer leaves newlines out.
    private func tellPartial(_ place: inout Place) {
        guard let since = place.partialSince, ContinuousClock.now - since >= partialLineLimit else { return }
        (place.partialSince, place.isPartialTold) = (nil, true)
        tell(
            "\(place.file.path): the last line, offset \(place.line) at byte \(place.byte), has no newline, so that it may not be complete: it is read once it has one. If nobody writes it any more, end it with a newline, or remove it"
        )
    }

    /// `size`: where the file ended when it was read. It may have grown by now, and what came meanwhile may be the last for long.
    private func reachedEnd(_ place: inout Place, at size: Int64, _ handle: (SourceEvent) -> Void) throws {
        _ = try place.file.size(readUpTo: place.byte)
        place.endedAt = size
        handle(.end(place.partition, next: place.line))
    }

    private func append(_ line: ByteView, _ place: inout Place, _ after: Int64, _ count: inout Int) {
        records[count] = SourceRecord(
            offset: place.line, timestamp: nil, key: .null, value: LineScanner.withoutByteOrderMark(line, at: place.byte))
        count += 1
        place.line += 1
        place.byte = after
    }

    /// The newline that ends a line which was read without it. Anything else there means that the line has grown.
    private func skipNewline(_ place: inout Place) throws {
        switch try scanner.next(in: place.file, at: place.byte) {
        case .end: return
        case .line(let line, let after) where line.isEmpty:
            place.byte = after
            place.followsUnterminated = false
        case .line, .unterminated:
            throw SourceError(
                .invalid,
                "\(place.file.path): line \(place.line - 1) was read without its newline and has grown since: \(DirectoryReader.grownLineCure)"
            )
        }
    }

    private func reserve(_ count: Int) {
        guard count > records.count else { return }
        records.deallocate()
        records = .allocate(capacity: count)
    }
}
