import Engine
import KafkaIO
import SQLiteState

/// How a checkpoint's position in a partition stands to the partition's log as it is now.
struct LogLag {
    enum Standing: String {
        /// The log holds what is to be read next.
        case ok
        /// The log begins after it: records were removed before they were read.
        case lost
        /// The log ends before it: the topic shrank, or is another one.
        case beyond
        /// There is no such partition.
        case absent
        /// The checkpoint doesn't know the partition: the topic has grown.
        case added
        /// The checkpoint has read nothing of it.
        case unread
        /// Nobody answered in time.
        case unanswered

        /// The job would stop at it.
        var isRefused: Bool {
            switch self {
            case .lost, .beyond, .absent, .added: true
            case .ok, .unread, .unanswered: false
            }
        }
    }

    let task: TaskID
    let topic: String
    let start: Int64?
    let end: Int64?
    let standing: Standing
    /// The offsets between the one to be read next and the log's end; nil where one of them is not known, or the log ends
    /// before. Offsets that hold no record any more count too.
    let lag: Int64?

    /// `next` is the offset to be read next. `bounds`: nil where there is no such partition.
    private init(of task: TaskID, next: Int64?, in topic: String, _ bounds: LogBounds?, isAdded: Bool) {
        self.task = task
        self.topic = topic
        guard case .known(let start, let end)? = bounds else {
            (start, end, lag) = (nil, nil, nil)
            standing = bounds == nil ? .absent : isAdded ? .added : .unanswered
            return
        }
        (self.start, self.end) = (start, end)
        standing =
            switch next {
            case nil: isAdded ? .added : .unread
            case let next? where next < start: .lost
            case let next? where next > end: .beyond
            default: .ok
            }
        lag = next.flatMap { $0 <= end ? end - $0 : nil }
    }

    /// One for each partition of the topics, as the checkpoint or the logs know them, in order of stages and partitions.
    static func all(_ reader: StateReader, reading topics: [StageName: String], _ logs: InputLogs, within limit: Duration) throws
        -> [LogLag]
    {
        let bounds = try logs.bounds(of: topics.values.sorted(), within: limit)
        let next = Dictionary(uniqueKeysWithValues: reader.tasks.map { ($0.id, $0.position?.next) })
        return topics.sorted { $0.key < $1.key }.flatMap { stage, topic in
            let known = Set(0..<reader.partitions[topic, default: 0]).union(
                reader.tasks.filter { $0.id.stage == stage }.map(\.id.partition))
            let there = bounds.keys.filter { $0.topic == topic }.map(\.partition)
            return known.union(there).sorted().map { partition in
                let task = TaskID(stage: stage, partition: partition)
                let found = bounds[TopicPartition(topic: topic, partition: partition)]
                return LogLag(of: task, next: next[task] ?? nil, in: topic, found, isAdded: !known.contains(partition))
            }
        }
    }
}
