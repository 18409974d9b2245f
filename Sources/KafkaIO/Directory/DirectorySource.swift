import Engine
import Foundation
import Synchronization

/// Reads a directory of files as if it were a Kafka cluster: for replays and tests.
///
/// A line is a record: its number is the offset, its bytes the value (an empty line is an empty value), without a key
/// and a timestamp. A byte order mark is no part of a file's first line. Only whole lines are read: what comes after the last newline
/// may be half of one. Appended lines are read when they come. Files may be larger than the memory; only `ends` and
/// `open` read through them from the start, each once.
public final class DirectorySource: RecordSource {
    private struct Opened {
        var starts: [TopicPartition: DirectoryReader.Start]?
        var taken: Set<TopicPartition> = []
        var counts: [TopicPartition: (file: LogFile, count: LineCount)] = [:]
    }

    private let layout: DirectoryLayout
    private let startsAtEnd: Bool
    private let tell: @Sendable (String) -> Void
    private let partialLineLimit: Duration
    private let opened = Mutex(Opened())

    /// Whoever writes a line is done with it in less.
    public static let partialLineLimit = Duration.seconds(5)

    /// A last line without a newline is waited for, and told to `tell`, once a partition, when it stays so for `partialLineLimit`.
    /// `startsAtEnd`: partitions without state begin after their last record.
    public init(
        path: String, startsAtEnd: Bool = false, partialLineLimit: Duration = DirectorySource.partialLineLimit,
        tell: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        self.partialLineLimit = partialLineLimit
        self.tell = tell
        layout = try DirectoryLayout(path: path)
        self.startsAtEnd = startsAtEnd
    }

    /// Of a longer line only the beginning is handed over.
    public var longestRecord: Int? { LineScanner.maximumLineBytes - 1 }

    public func partitionCount(of topic: String) throws -> Int { try layout.files(of: topic).count }

    @discardableResult
    public func open(_ assignments: [SourceAssignment]) throws -> [TopicPartition: Int64] {
        if opened.withLock({ $0.starts != nil }) { throw SourceError(.bug, "the directory source was opened twice") }
        var starts: [TopicPartition: DirectoryReader.Start] = [:]
        for assignment in assignments {
            let file = try LogFile(path(of: assignment.partition))
            starts[assignment.partition] = try start(of: assignment, in: file)
        }
        opened.withLock { $0.starts = starts }
        return starts.mapValues(\.line)
    }

    public func makeReader(of partitions: [TopicPartition]) throws -> any RecordReader {
        let starts = try opened.withLock { opened in
            guard let starts = opened.starts else { throw SourceError(.bug, "a reader was asked for before the directory source was open") }
            return try partitions.map { partition in
                guard let start = starts[partition], opened.taken.insert(partition).inserted else {
                    throw SourceError(.bug, "\(partition) was not assigned, or has a reader already")
                }
                return start
            }
        }
        return DirectoryReader(starts, partialLineLimit: partialLineLimit, tell: tell)
    }

    /// Files that can't be counted to their end in time are left out; the next call goes on where this one stopped.
    public func ends(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: Int64] {
        let deadline = Deadline(timeout)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: LineScanner.initialBufferBytes, alignment: 16)
        defer { buffer.deallocate() }
        return opened.withLock { opened in
            var ends: [TopicPartition: Int64] = [:]
            for partition in partitions {
                guard var known = try? opened.counts[partition] ?? (LogFile(path(of: partition)), LineCount()) else { continue }
                let outcome = try? known.count.advance(known.file, buffer: buffer, isOver: { deadline.isOver })
                opened.counts[partition] = known
                guard case .end? = outcome else { continue }
                ends[partition] = known.count.lines
            }
            return ends
        }
    }

    /// Every partition that these topics have; a topic without a file or folder has none. Files that can't be counted to
    /// their end in time are unanswered.
    package func bounds(of topics: [String], within limit: Duration) throws -> [TopicPartition: LogBounds] {
        let there = try layout.topics()
        let partitions = try Set(topics).filter(there.contains).flatMap { topic in
            try layout.files(of: topic).indices.map { TopicPartition(topic: topic, partition: $0) }
        }
        let ends = ends(of: partitions, timeout: limit)
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, ends[$0].map { .known(start: 0, end: $0) } ?? .unanswered) })
    }

    /// A directory has nobody to tell.
    public func report(_ positions: [TopicPartition: Int64]) {}

    private func path(of partition: TopicPartition) throws -> String {
        let files = try layout.files(of: partition.topic)
        guard files.indices.contains(partition.partition) else {
            throw SourceError(.missing, "\(partition) does not exist in \(layout.path): the topic has \(files.count) partitions")
        }
        return files[partition.partition]
    }

    /// Finds the byte where reading begins, and looks whether the file still is the one that the position belongs to.
    private func start(of assignment: SourceAssignment, in file: LogFile) throws -> DirectoryReader.Start {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: LineScanner.initialBufferBytes, alignment: 16)
        defer { buffer.deallocate() }
        var count = LineCount()
        let partition = assignment.partition
        guard let position = assignment.position else {
            if startsAtEnd { _ = try count.advance(file, buffer: buffer, isOver: { false }) }
            return DirectoryReader.Start(partition: partition, file: file, line: count.lines, byte: count.position)
        }
        if let last = position.last { try recognise(last, in: file, partition, &count, buffer) }
        let outcome = try count.advance(file, upTo: position.next, buffer: buffer, isOver: { false })
        guard case .end(let rest) = outcome else {
            return DirectoryReader.Start(partition: partition, file: file, line: count.lines, byte: count.position)
        }
        if rest > 0, position.next == count.lines + 1 {
            // An earlier version read the last line in a bounded run, before it had a newline.
            return DirectoryReader.Start(
                partition: partition, file: file, line: position.next, byte: count.position + rest, followsUnterminated: true)
        }
        let next = try AssignmentCheck(partition: partition, low: 0, high: count.lines).start(at: position)
        return DirectoryReader.Start(partition: partition, file: file, line: next, byte: count.position)
    }

    private func recognise(
        _ last: RecordFingerprint, in file: LogFile, _ partition: TopicPartition,
        _ count: inout LineCount, _ buffer: UnsafeMutableRawBufferPointer
    ) throws {
        if case .end = try count.advance(file, upTo: last.offset, buffer: buffer, isOver: { false }) { return }
        var scanner = LineScanner()
        let value: ByteView
        switch try scanner.next(in: file, at: count.position) {
        case .end: return  // shorter than that: found out from the position
        case .line(let line, _), .unterminated(let line, _): value = line
        }
        let record = LineScanner.withoutByteOrderMark(value, at: count.position)
        // Earlier versions took the mark for a part of the line.
        guard !isLast(record, last), !isLast(value, last) else { return }
        guard !hasGrown(value, since: last) else {
            throw SourceError(
                .invalid,
                "\(file.path): of line \(last.offset) an earlier version has read the beginning, in a bounded run, before its writer was done: \(DirectoryReader.grownLineCure)"
            )
        }
        try AssignmentCheck.recognise(fingerprint(of: record, at: last.offset), as: last, in: partition)
    }

    private func fingerprint(of line: ByteView, at offset: Int64) -> RecordFingerprint {
        RecordFingerprint(of: SourceRecord(offset: offset, timestamp: nil, key: .null, value: line))
    }

    private func isLast(_ line: ByteView, _ last: RecordFingerprint) -> Bool { fingerprint(of: line, at: last.offset) == last }

    /// Whether what was read is a beginning of the line.
    private func hasGrown(_ line: ByteView, since last: RecordFingerprint) -> Bool {
        var checksum = crc32c(.null)
        return (0..<line.count).contains { index in
            defer { checksum = crc32c(line.dropFirst(index).prefix(1), continuing: checksum) }
            return checksum == last.checksum
        }
    }
}
