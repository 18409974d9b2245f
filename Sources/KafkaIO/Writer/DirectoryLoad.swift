import Engine

/// Writes a directory of files (see `DirectoryLayout`) to Kafka, each line as a record's value.
///
/// A record goes to the partition of its key (murmur2, as Java's clients have it); without a usable key to partition 0,
/// with a null key. Lines are sent as they are, invalid UTF-8 too; an empty line is an empty value. The order of lines
/// of one file is kept within each partition.
package struct DirectoryLoad: Sendable {
    private let layout: DirectoryLayout
    private let topicPrefix: String
    private let partitions: Int?
    private let flushLimit: Duration

    /// How much of a topic was written.
    package struct Progress: Hashable, Sendable {
        package let topic: String
        package var records = 0
        /// Of the records, those that went to partition 0 for want of a key.
        package var withoutKey = 0
    }

    /// `topicPrefix` is put before the files' names; `partitions`: of topics that don't exist yet (nil: the broker's default).
    package init(directory: String, topicPrefix: String = "", partitions: Int? = nil, flushLimit: Duration = .seconds(120)) throws {
        layout = try DirectoryLayout(path: directory)
        self.topicPrefix = topicPrefix
        self.partitions = partitions
        self.flushLimit = flushLimit
    }

    /// Writes all topics and waits for their delivery. `report` is told of each topic that is done.
    @discardableResult
    package func run(with writer: TopicWriter, report: (Progress) -> Void = { _ in }) throws -> [Progress] {
        let topics = try layout.topics()
        guard !topics.isEmpty else {
            throw SourceError(.missing, "\(layout.path) holds no topic: expected <topic>.jsonl or <topic>/<partition>.jsonl")
        }
        return try topics.map { topic in
            let progress = try write(topic, with: writer)
            report(progress)
            return progress
        }
    }

    private func write(_ topic: String, with writer: TopicWriter) throws -> Progress {
        let target = topicPrefix + topic
        let count = try writer.ensureTopic(target, partitions: partitions)
        let recordKey = RecordKey(field: RecordKey.field(ofTopic: topic))
        var progress = Progress(topic: target)
        var scanner = LineScanner()
        for path in try layout.files(of: topic) {
            let file = try LogFile(path)
            var position: Int64 = 0
            while let (line, after) = try Self.line(in: &scanner, file, position) {
                position = after
                try send(line, key: recordKey.text(in: line), to: target, partitions: count, with: writer, &progress)
            }
        }
        try writer.flush(timeout: flushLimit)
        return progress
    }

    private func send(
        _ line: ByteView, key: String?, to topic: String, partitions: Int, with writer: TopicWriter, _ progress: inout Progress
    ) throws {
        progress.records += 1
        guard var key else {
            progress.withoutKey += 1
            return try writer.send(topic: topic, partition: 0, key: .null, value: line)
        }
        try key.withUTF8 { bytes in
            let view = ByteView(UnsafeRawBufferPointer(bytes))
            try writer.send(topic: topic, partition: murmur2Partition(of: view, partitions: partitions), key: view, value: line)
        }
    }

    private static func line(in scanner: inout LineScanner, _ file: LogFile, _ position: Int64) throws -> (ByteView, Int64)? {
        switch try scanner.next(in: file, at: position) {
        case .line(let line, let after), .unterminated(let line, let after): (line, after)
        case .end: nil
        }
    }
}
